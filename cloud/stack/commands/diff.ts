import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { assertNever, InvalidInput, messageOf } from '../../../shared/errors.ts';
import { parse } from '../../../shared/parse.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { type Account, reasonOf } from './account.ts';
import { runCdk, withSynthesized } from './cdk.ts';
import { insist } from './deploy.ts';
import { enter } from './doctor.ts';
import { overviewOf } from './overview.ts';
import { quotaArguments } from './quotas.ts';
import { template } from './resources.ts';
import { describeStack } from './stackState.ts';

const failed = 'The difference could not be shown.';

/**
 * Shows what deploying would change. Where nothing is deployed, or that cannot be looked at, it says what would be made.
 * @param against a template in a file to compare with, which needs no account; null: what is deployed
 * @returns the exit code: 1 when it could not be compared
 */
export async function diff({ against }: { readonly against: string | null }): Promise<number> {
  const settings = loadSettings();
  if (against !== null) return compareWith(resolve(against), settings);
  const deployed = await lookUp(settings);
  switch (deployed.kind) {
    case 'there':
      await insist(settings);
      await runCdk(['diff', settings.name, ...(await quotaArguments(deployed.account, settings))], settings.region, failed);
      return 0;
    case 'none':
      console.log(`There is no stack ${settings.name} in this account and region yet.`);
      await showOverview(settings);
      return 0;
    case 'unknown':
      console.error(`It cannot be compared with what is deployed. ${deployed.why}`);
      await showOverview(settings);
      return 1;
    default:
      return assertNever(deployed);
  }
}

type Found =
  | { readonly kind: 'there'; readonly account: Account }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly why: string };

async function lookUp(settings: Settings): Promise<Found> {
  const { account, who } = await enter(settings);
  if ('why' in who) return { kind: 'unknown', why: who.why };
  try {
    return (await describeStack(account, settings.name)) ? { kind: 'there', account } : { kind: 'none' };
  } catch (thrown) {
    return { kind: 'unknown', why: reasonOf(thrown) };
  }
}

function showOverview(settings: Settings): Promise<void> {
  return withSynthesized(async (dir) => {
    for (const line of overviewOf(readTemplate(`${dir}/${settings.name}.template.json`), settings)) console.log(line);
  });
}

/** By the CDK's own comparison, with the template as it is without the functions' bundles. */
async function compareWith(file: string, { name, region }: Settings): Promise<number> {
  readTemplate(file);
  await withSynthesized((dir) => runCdk(['diff', name, '--app', dir, '--template', file], region, failed));
  console.log("The functions were not bundled for this: a difference in their code's S3Key says nothing.");
  return 0;
}

/** @throws InvalidInput when it is none */
function readTemplate(path: string): v.InferOutput<typeof template> {
  try {
    return parse(v.pipe(v.string(), v.parseJson(), template), readFileSync(path, 'utf8'), 'it');
  } catch (thrown) {
    const how = 'One that is deployed is had by "aws cloudformation get-template --query TemplateBody --stack-name NAME".';
    throw new InvalidInput(`${path} cannot be read as a template (${messageOf(thrown)}). ${how}`, { cause: thrown });
  }
}
