import { appendFileSync } from 'node:fs';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { credentials, region } from '../gateway/rawRequest.ts';

/**
 * A server in a process of its own, to be killed. Arguments: its folder, and the file to which it writes the key of every event that it
 * takes; without that file no event is ever taken. It tells its endpoint, and its memory when asked, to the process that forked it.
 */
const [, , dir = '', eventFile] = process.argv;
const onEvent = async ({ detail }: { detail: { object: { key: string } } }) => {
  if (eventFile === undefined) return new Promise<never>(() => undefined);
  appendFileSync(eventFile, `${detail.object.key}\n`);
};
const s3 = await createS3({ dir, clock: systemClock, region, onEvent, log: console.error });
await s3.createBucket('box');
const gateway = await startGateway({ port: 0, credentials, region, services: { s3: s3.service }, clock: systemClock, log: console.error });
process.on('message', () => process.send?.({ maxRss: process.resourceUsage().maxRSS * 1024 }));
process.send?.({ endpoint: gateway.endpoint });
