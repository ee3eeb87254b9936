import { startLocalCloud } from '../../../cloud/local/startLocalCloud.ts';
import { systemClock } from '../../../shared/clock.ts';

/** A local cloud in a process of its own, to be killed: `node localCloudProcess.ts DIR MODELS`. Prints its endpoint, or why it cannot start. */
const [dir = '', models = ''] = process.argv.slice(2);
try {
  const { endpoint } = await startLocalCloud({ dir, models, workers: 1, clock: systemClock, log: (line) => console.error(line) });
  console.log(endpoint);
} catch (thrown) {
  console.log(String(thrown));
  process.exitCode = 1;
}
