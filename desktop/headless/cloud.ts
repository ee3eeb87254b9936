import { join } from 'node:path';
import { startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { systemClock } from '../../shared/clock.ts';
import { fetchingLine } from '../host/statusLine.ts';
import type { Command } from './arguments.ts';
import { aborted, type Context, stopSignal } from './context.ts';

/** Runs the local cloud alone and prints what other tools need to use it, in the form that a shell takes. */
export async function cloud({ port }: Extract<Command, { kind: 'cloud' }>, { dataDir, modelsDir, json, output }: Context): Promise<number> {
  const { endpoint, connection, credentials, close } = await startLocalCloud({
    dir: join(dataDir, 'cloud'),
    port,
    models: modelsDir,
    clock: systemClock,
    log: output.note,
    onModelProgress: (progress) => output.progress(fetchingLine(progress)),
  });
  const variables = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: connection.region,
    // What the first version of the aws CLI reads instead.
    AWS_DEFAULT_REGION: connection.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const stop = stopSignal();
  if (json) output.json(variables);
  else for (const [name, value] of Object.entries(variables)) output.say(`export ${name}=${value}`);
  output.note('The local cloud runs. Ctrl+C ends it.');
  await aborted(stop);
  await close();
  return 0;
}
