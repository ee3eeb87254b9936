import { join } from 'node:path';
import { startApp } from '../../../desktop/host/startApp.ts';

// A Pixwatch of its own on the data folder given, for tests that kill it.
const [dataDir = ''] = process.argv.slice(2);
const started = await startApp({ dataDir, modelsDir: join(dataDir, 'lock'), onModelProgress: () => {}, log: () => {} });
if (started.kind === 'started') await started.app.publish('http://127.0.0.1:1234/');
process.send?.('started');
