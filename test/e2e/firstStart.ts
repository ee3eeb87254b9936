import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What a newcomer sees, too slow for `npm test`: `npm start` on a new data folder must print the link and then the labels of the try-out
 * library, and end well on Ctrl+C. Usage: npm run test:first-start
 */
const limitMs = 5 * 60_000;
const dir = await mkdtemp(join(tmpdir(), 'pixwatch-first-'));
// A process group of its own: Ctrl+C reaches npm and all that it started.
const app = spawn('npm', ['start', '--', '--headless', '--port', '0', '--data', join(dir, 'data')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
});
const interrupt = () => process.kill(-(app.pid ?? 0), 'SIGINT');
const timer = setTimeout(interrupt, limitMs);
let said = '';
app.stdout.setEncoding('utf8').on('data', (text: string) => {
  process.stdout.write(text);
  said += text;
  if (/^(Labels found|No label was found)/m.test(said)) interrupt();
});
app.once('close', async (code, signal) => {
  clearTimeout(timer);
  await rm(dir, { recursive: true, force: true });
  const wanted = [/^Pixwatch is open in the browser at http:\/\/127\.0\.0\.1:\d+\/#token=\S+$/m, /^Labels found: .*\bDog \(\d+\)/m];
  const missing = wanted.filter((line) => !line.test(said));
  if (missing.length > 0) console.error(`The first start did not say ${missing.join(' and ')}.`);
  // npm ends by the signal itself.
  const isWell = code === 0 || signal === 'SIGINT';
  if (!isWell) console.error(`The first start ended with ${code ?? signal}.`);
  process.exitCode = missing.length === 0 && isWell ? 0 : 1;
});
