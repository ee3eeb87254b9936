import { createInterface } from 'node:readline/promises';
import { UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type Counts, moneyOf, totalOf } from '../../../shared/cost.ts';
import { Permanent } from '../../../shared/errors.ts';
import { loadSettings } from '../settings.ts';
import { type Account, identify, openAccount } from './account.ts';
import { type Content, countBucket, emptyBucket } from './buckets.ts';
import { runCdk, withSynthesized } from './cdk.ts';
import { type Part, partsOf } from './resources.ts';
import { describeStack } from './stackState.ts';

/** A part that holds something, and how much. */
interface Held extends Part {
  readonly content: Content;
}

/**
 * Removes the backend: says first what goes, what stays and what that costs, then asks.
 * @returns the exit code
 */
export async function destroy({ yes, emptyBuckets }: { readonly yes: boolean; readonly emptyBuckets: boolean }): Promise<number> {
  const { name, region } = loadSettings();
  const account = openAccount(region);
  const who = await identify(account);
  const stack = await describeStack(account, name);
  if (!stack) throw new Permanent(`There is no stack ${name} in ${region} of account ${who.account}. Nothing was removed.`);
  const parts = await partsOf(account, name);
  const held = await heldBy(account, parts);
  console.log(
    `The stack ${name} in ${region} of account ${who.account} is removed: ${parts.filter(({ stays }) => !stays).length} parts of it.`,
  );
  for (const line of linesOf(parts, held, region)) console.log(line);

  const full = held.filter(isFull);
  if (full.length > 0 && !emptyBuckets) {
    throw new Permanent(
      'Buckets that are to go still hold objects, and AWS deletes only empty ones. Nothing was removed. To delete these photos for ever, add --empty-buckets.',
    );
  }
  const asked = full.length > 0 || !yes;
  if (asked && !(await isTyped(name))) throw new Permanent('Nothing was removed.');

  await empty(account, full);
  if (stack.isProtected) {
    await account.cloudformation.send(new UpdateTerminationProtectionCommand({ StackName: name, EnableTerminationProtection: false }));
  }
  // S3 writes access logs some hours late, that of this emptying among them. Nothing is emptied that nobody has agreed to.
  const emptyAgain = async () => {
    const agreed = new Set(full.map(({ id }) => id));
    const again = (await heldBy(account, parts)).filter(
      (each) => isFull(each) && (agreed.has(each.id) || (agreed.size > 0 && isLogs(each))),
    );
    if (again.length > 0) console.log('Something came into the buckets meanwhile. They are emptied once more.');
    await empty(account, again);
    return again.length > 0;
  };
  await removeStack(name, region, emptyAgain);
  return 0;
}

/** @param mend what may help when it fails; it answers whether it is worth another try */
function removeStack(name: string, region: string, mend: () => Promise<boolean>): Promise<void> {
  return withSynthesized(async (dir) => {
    const remove = () => runCdk(['destroy', name, '--app', dir, '--force'], region, notRemoved);
    try {
      await remove();
    } catch (thrown) {
      if (!(await mend())) throw thrown;
      await remove();
    }
  });
}

const notRemoved = 'The stack was not removed, or not all of it. Look at its events in CloudFormation’s console.';

/** Whether it keeps AWS from removing the stack. */
const isFull = ({ type, stays, content }: Held): boolean => isBucket(type) && !stays && content.objects + content.markers > 0;

const isLogs = ({ logicalId }: Part): boolean => logicalId.startsWith('StorageLogs');

/** The logs last, as emptying the others is written into them. */
async function empty({ s3 }: Account, full: readonly Held[]): Promise<void> {
  for (const { id } of [...full.filter((each) => !isLogs(each)), ...full.filter(isLogs)])
    await emptyBucket(s3, id, (count) => console.log(`${id}: ${count} deleted.`));
}

const isBucket = (type: string): boolean => type === 'AWS::S3::Bucket';
const isTable = (type: string): boolean => /^AWS::DynamoDB::(GlobalTable|Table)$/.test(type);

async function heldBy(account: Account, parts: readonly Part[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const part of parts) {
    const content = isBucket(part.type)
      ? await countBucket(account.s3, part.id)
      : isTable(part.type)
        ? await countTable(account, part.id)
        : null;
    if (content) held.push({ ...part, content });
  }
  return held;
}

/** As DynamoDB knows it, which counts every six hours. @returns null when there is no such table */
async function countTable({ dynamodb }: Account, TableName: string): Promise<Content | null> {
  try {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    return { objects: Table?.ItemCount ?? 0, markers: 0, bytes: Table?.TableSizeBytes ?? 0, archivedBytes: 0 };
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ResourceNotFoundException') return null;
    throw thrown;
  }
}

const gb = 1e9;

/** What is told before anything is removed. */
export function linesOf(parts: readonly Part[], held: readonly Held[], region: string): string[] {
  const line = ({ type, id }: Part) => {
    const content = held.find((each) => each.id === id && each.type === type)?.content;
    const markers = content && content.markers > 0 ? ` and ${content.markers.toLocaleString('en')} delete markers` : '';
    const much = content
      ? `: ${content.objects.toLocaleString('en')} ${isTable(type) ? 'items' : 'objects'}${markers}, ${(content.bytes / gb).toFixed(2)} GB`
      : '';
    return `  ${type} ${id}${much}`;
  };
  const going = held.filter(({ stays }) => !stays);
  const staying = parts.filter(({ stays }) => stays);
  const cost = totalOf(moneyOf(monthlyOf(held.filter(({ stays }) => stays)), region));
  return [
    ...(going.length > 0 ? ['Of that, these hold something, which is gone then:', ...going.map(line)] : []),
    ...(staying.length > 0 ? ['These stay, and are no longer part of any stack:', ...staying.map(line)] : ['Nothing stays.']),
    ...(staying.length > 0
      ? [
          `What stays costs ${cost < 0.01 ? 'less than 0.01' : `some ${cost.toFixed(2)}`} USD a month. docs/deploy.md says how to remove it.`,
        ]
      : []),
  ];
}

/** What is billed for it each month. A table's index holds all of it again. */
function monthlyOf(staying: readonly Held[]): Counts {
  const sum = (of: readonly Held[], each: (content: Content) => number) => of.reduce((total, { content }) => total + each(content), 0) / gb;
  const buckets = staying.filter(({ type }) => isBucket(type));
  const tableGb = sum(
    staying.filter(({ type }) => isTable(type)),
    ({ bytes }) => bytes,
  );
  return {
    standardGb: sum(buckets, ({ bytes, archivedBytes }) => bytes - archivedBytes),
    glacierGb: sum(buckets, ({ archivedBytes }) => archivedBytes),
    tableGb: 2 * tableGb,
    backupGb: tableGb,
  };
}

async function isTyped(name: string): Promise<boolean> {
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => ask.once('close', () => resolve('')));
  const answer = await Promise.race([ask.question(`Type the stack's name (${name}) to remove it: `), closed]);
  ask.close();
  return answer.trim() === name;
}
