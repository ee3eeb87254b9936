import { parseArgs } from 'node:util';
import type { MessagePortMain } from 'electron';
import { type AgentEvent, appMethods } from '../../shared/contract.ts';
import { messageOf } from '../../shared/errors.ts';
import { serve } from '../../shared/rpc.ts';
import { pixwatchModelsDir } from '../host/dataDir.ts';
import { type App, startApp } from '../host/startApp.ts';
import { addTryOut } from '../host/tryOut.ts';
import { portOf } from './port.ts';

// The utility process: agent and local cloud. It answers on every port that main attaches, and ends when told to.
const { values } = parseArgs({ options: { data: { type: 'string' }, folder: { type: 'string' }, 'try-out': { type: 'boolean' } } });
const dataDir = values.data ?? '';
/** A message posted just before the end would be lost. */
const flushMs = 200;

let app: App | null = null;
try {
  const start = await startApp({
    dataDir,
    modelsDir: pixwatchModelsDir(process.env),
    onModelProgress: ({ receivedBytes, totalBytes }) =>
      console.log(`Fetching the vision models: ${Math.floor((100 * receivedBytes) / totalBytes)} %`),
    log: (line) => console.warn(line),
  });
  if (start.kind === 'running')
    throw new Error('Pixwatch is already running on this data folder. Close it, or choose another with --data.');
  app = start.app;
  if (values.folder) await app.agent.handlers.addFolder({ path: values.folder });
  if (values['try-out']) await addTryOut(app, dataDir);
  listen(app);
  process.parentPort.postMessage({ kind: 'started' });
} catch (thrown) {
  await app?.close();
  process.parentPort.postMessage({ kind: 'failed', reason: messageOf(thrown) });
  setTimeout(() => process.exit(1), flushMs);
}

function listen(app: App): void {
  process.parentPort.on('message', ({ data, ports }) => {
    const [port] = ports;
    if (data.kind === 'attach' && port) attach(port, app);
    if (data.kind === 'close') void app.close().finally(() => process.exit(0));
  });
}

function attach(port: MessagePortMain, { agent, handlers }: App): void {
  const push = serve<typeof appMethods, AgentEvent>(portOf(port), appMethods, handlers);
  const stop = agent.onEvent(push);
  port.on('close', stop);
}
