import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Permanent } from '../../../shared/errors.ts';
import { settingsPath } from '../settings.ts';

const projectRoot = dirname(settingsPath);

/**
 * Runs the CDK's own command line, which speaks and asks for itself.
 * @param failed what to tell when it ends badly
 * @throws Permanent
 */
export async function runCdk(args: readonly string[], region: string, failed: string): Promise<void> {
  const cli = join(projectRoot, 'node_modules/aws-cdk/bin/cdk');
  if (!existsSync(cli)) throw new Permanent('The CDK is not installed. Run npm ci.');
  const code = await exitOf(spawn(process.execPath, [cli, ...args], { cwd: projectRoot, stdio: 'inherit', env: environment(region) }));
  if (code !== 0) throw new Permanent(`${failed} The CDK ended with code ${code}; what it said is above.`);
}

const environment = (region: string): NodeJS.ProcessEnv => ({
  ...process.env,
  // The app (cdk.json) runs under the same Node.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
  AWS_REGION: region,
  // Nothing about this account is told to anybody.
  CDK_DISABLE_CLI_TELEMETRY: 'true',
});

function exitOf(child: ReturnType<typeof spawn>): Promise<number | string> {
  // Ctrl+C reaches the CDK by itself; this process outlives it to say what became of it.
  process.once('SIGINT', () => {});
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 1));
  });
}
