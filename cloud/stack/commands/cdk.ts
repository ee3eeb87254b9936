import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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
  const code = await exitOf(
    spawn(process.execPath, [cli, ...args], { cwd: projectRoot, stdio: 'inherit', env: environment(region, args[0]) }),
  );
  if (code !== 0) throw new Permanent(`${failed} The CDK ended with code ${code}; what it said is above.`);
}

/**
 * Makes the template without bundling the functions, which needs neither an account nor a network.
 * @param use gets the folder that holds it
 * @throws Permanent
 */
export async function withSynthesized<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-template-'));
  try {
    const args = ['cloud/stack/app.ts', '--template', dir];
    const env = { ...process.env, ...unchecked };
    const code = await exitOf(spawn(process.execPath, args, { cwd: projectRoot, stdio: ['ignore', 'ignore', 'inherit'], env }));
    if (code !== 0) throw new Permanent(`The template could not be made; what is wrong is above (code ${code}).`);
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The CDK checks each template against CloudFormation's rules, which takes some seconds; only what is deployed needs that. */
const unchecked = { CDK_VALIDATION: 'false' };

const environment = (region: string, command: string | undefined): NodeJS.ProcessEnv => ({
  ...process.env,
  // The app (cdk.json) runs under the same Node.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
  AWS_REGION: region,
  // Nothing about this account is told to anybody.
  CDK_DISABLE_CLI_TELEMETRY: 'true',
  ...(command !== 'deploy' && unchecked),
});

function exitOf(child: ReturnType<typeof spawn>): Promise<number | string> {
  // Ctrl+C reaches the CDK by itself; this process outlives it to say what became of it.
  process.once('SIGINT', () => {});
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? signal ?? 1));
  });
}
