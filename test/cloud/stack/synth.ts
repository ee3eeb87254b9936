import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as v from 'valibot';
import { PixwatchStack } from '../../../cloud/stack/pixwatchStack.ts';
import { defaultQuotas, type Quotas, withQuotas } from '../../../cloud/stack/quotas.ts';
import { settings } from '../../../cloud/stack/settings.ts';

/** A resource of a template, as JSON. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation's own shapes, looked into by the tests alone.
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The stack without bundles, which need no account and no network. */
export function synthesize(chosen: Partial<v.InferInput<typeof settings>> = {}, quotas: Quotas = defaultQuotas('eu-west-1')) {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new PixwatchStack(app, withQuotas(v.parse(settings, { name: 'pixwatch', region: 'eu-west-1', ...chosen }), quotas));
  const template = Template.fromStack(stack);
  const resources = new Map(Object.entries<Resource>(template.toJSON()['Resources']));
  const ofType = (type: string) => [...resources.values()].filter(({ Type }) => Type === type);
  /** The one resource of this type whose name begins so. */
  const one = (type: string, name = ''): Resource => {
    const found = [...resources].filter(([id, { Type }]) => Type === type && id.startsWith(name));
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} resources ${type} ${name}`);
    return found[0][1];
  };
  return { app, stack, template, resources, ofType, one };
}
