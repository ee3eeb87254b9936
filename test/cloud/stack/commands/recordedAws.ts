import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * What CloudFormation, STS and others answer about an account, in AWS's own forms, by the action that is asked for: the local cloud has no part
 * for them. What has no answer here is denied, as by AWS.
 */
export interface Recorded {
  /** XML by action, or JSON by the last part of the target; a request of S3 or Lambda by method and path. */
  readonly [action: string]: string;
}

/** Serves recorded answers for the length of a test. @returns the endpoint and the actions that were asked for */
export async function serveRecorded(recorded: Recorded): Promise<{ endpoint: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const action = actionOf(request, body);
    asked.push(action);
    const answer = recorded[action];
    response.statusCode = answer === undefined ? 403 : /<Code>(ValidationError|NoSuchBucket)</.test(answer) ? 400 : 200;
    response.end(answer ?? '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed here</Message></Error></ErrorResponse>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

function actionOf({ headers, method, url = '' }: IncomingMessage, body: string): string {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target.split('.').at(-1) ?? '';
  const form = new URLSearchParams(body);
  const stack = form.get('StackName');
  return form.get('Action') ? `${form.get('Action')}${stack ? ` ${stack}` : ''}` : `${method} ${url.replace(/\/?\?.*/, '')}`;
}

const result = (action: string, xml: string) => `<${action}Response><${action}Result>${xml}</${action}Result></${action}Response>`;

export const identity = (arn: string) =>
  result('GetCallerIdentity', `<Arn>${arn}</Arn><UserId>AIDA</UserId><Account>123456789012</Account>`);

export const stack = (name: string, status: string, outputs: Readonly<Record<string, string>> = {}) => {
  const each = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return result(
    'DescribeStacks',
    `<Stacks><member><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/${name}/1</StackId><StackName>${name}</StackName><EnableTerminationProtection>true</EnableTerminationProtection><StackStatus>${status}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>${each.join('')}</Outputs></member></Stacks>`,
  );
};

export const noStack = (name: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`;

export const template = (resources: Readonly<Record<string, object>>) =>
  result('GetTemplate', `<TemplateBody>${JSON.stringify({ Resources: resources }).replaceAll('"', '&quot;')}</TemplateBody>`);

export const resourceList = (resources: readonly (readonly [logical: string, type: string, id: string])[]) =>
  result(
    'ListStackResources',
    `<StackResourceSummaries>${resources
      .map(
        ([logical, type, id]) =>
          `<member><LogicalResourceId>${logical}</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${id}</PhysicalResourceId><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`,
      )
      .join('')}</StackResourceSummaries>`,
  );

export const versions = (sizes: readonly number[], markers = 0) =>
  `<ListVersionsResult><IsTruncated>false</IsTruncated>${'<DeleteMarker><Key>gone</Key><VersionId>m</VersionId></DeleteMarker>'.repeat(markers)}${sizes
    .map(
      (size, i) =>
        `<Version><Key>k${i}</Key><VersionId>v${i}</VersionId><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Version>`,
    )
    .join('')}</ListVersionsResult>`;
