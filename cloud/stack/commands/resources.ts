import { GetTemplateCommand, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import * as v from 'valibot';
import { parse } from '../../../shared/parse.ts';
import type { Account } from './account.ts';

/** A part of a deployed stack. */
export interface Part {
  /** CloudFormation's, e.g. `AWS::S3::Bucket`. */
  readonly type: string;
  /** In its template. */
  readonly logicalId: string;
  /** What it is called in the account. */
  readonly id: string;
  /** It stays when the stack is deleted. */
  readonly stays: boolean;
}

/** What is read of a template of CloudFormation. */
export const template = v.object({
  Resources: v.record(v.string(), v.object({ Type: v.string(), DeletionPolicy: v.optional(v.string()) })),
});
export type Template = v.InferOutput<typeof template>;

/** Whether a part stays when its stack is deleted: with `Retain`, and with `RetainExceptOnCreate` unless its creation is taken back. */
export const staysByPolicy = (policy: string | undefined): boolean => policy === 'Retain' || policy === 'RetainExceptOnCreate';

/** The parts of a stack, and what becomes of each by the template that was deployed last, whatever the settings say now. */
export async function partsOf({ cloudformation }: Account, name: string): Promise<Part[]> {
  const { TemplateBody } = await cloudformation.send(new GetTemplateCommand({ StackName: name }));
  const { Resources } = parse(v.pipe(v.string(), v.parseJson(), template), TemplateBody, 'template of the stack');
  const parts: Part[] = [];
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client: cloudformation }, { StackName: name })) {
    for (const { LogicalResourceId = '', ResourceType: type = '', PhysicalResourceId: id } of StackResourceSummaries) {
      const stays = staysByPolicy(Resources[LogicalResourceId]?.DeletionPolicy);
      if (id !== undefined) parts.push({ type, logicalId: LogicalResourceId, id, stays });
    }
  }
  return parts;
}
