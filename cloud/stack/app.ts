import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { PixwatchStack } from './pixwatchStack.ts';
import { defaultQuotas, quotas, quotasContext, withQuotas } from './quotas.ts';
import { loadSettings } from './settings.ts';

/** What the CDK's command line runs (cdk.json); by itself, with --template [FOLDER], it only writes the template, which needs no network. */
const template = process.argv[2] === '--template';
const outdir = process.argv[3] ?? fileURLToPath(new URL('../../dist/template', import.meta.url));
try {
  const app = new App(template ? { outdir, context: { 'aws:cdk:bundling-stacks': [] } } : {});
  const settings = loadSettings();
  const found: unknown = app.node.tryGetContext(quotasContext);
  const known =
    found === undefined ? defaultQuotas(settings.region) : parse(v.pipe(v.string(), v.parseJson(), quotas), found, quotasContext);
  const { templateFile } = new PixwatchStack(app, withQuotas(settings, known));
  app.synth();
  if (template) console.log(`The template is in ${join(outdir, templateFile)}.`);
} catch (thrown) {
  if (!(thrown instanceof InvalidInput)) throw thrown;
  console.error(thrown.message);
  process.exitCode = 1;
}
