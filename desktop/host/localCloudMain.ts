import { parseArgs } from 'node:util';
import { startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { systemClock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { FromLocalCloud } from './localCloudProcess.ts';

// The local cloud in a process of its own; see localCloudProcess.ts. It ends when its parent says so, or is gone.
const { values } = parseArgs({ options: { dir: { type: 'string' }, models: { type: 'string' }, port: { type: 'string' } } });
const tell = (message: FromLocalCloud) => void (process.connected && process.send?.(message));

try {
  const cloud = await startLocalCloud({
    dir: values.dir ?? '',
    models: values.models ?? '',
    port: Number(values.port),
    clock: systemClock,
    log: (line) => tell({ kind: 'log', line }),
    onModelProgress: (progress) => tell({ kind: 'models', ...progress }),
    onBlind: (reason) => tell({ kind: 'blind', reason }),
  });
  const end = () => void cloud.close().finally(() => process.exit(0));
  process.once('disconnect', end);
  // The parent may have died while the cloud opened.
  if (!process.connected) end();
  tell({ kind: 'opened', connection: cloud.connection, credentials: { ...cloud.credentials }, port: Number(new URL(cloud.endpoint).port) });
  cloud.ready.then(
    () => tell({ kind: 'ready' }),
    (thrown) => tell({ kind: 'notReady', reason: messageOf(thrown) }),
  );
} catch (thrown) {
  tell({ kind: 'failed', reason: messageOf(thrown) });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}
