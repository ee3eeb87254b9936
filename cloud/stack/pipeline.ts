import { readFileSync } from 'node:fs';
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type Backend, createFunction } from './createFunction.ts';
import { functionOf, type StepName } from './functions.ts';
import { deliverLogs, grants, invoke } from './grants.ts';
import { createRole } from './role.ts';

/** The same text that runs on a computer without AWS. */
export const definition = readFileSync(new URL('../pipeline.asl.json', import.meta.url), 'utf8');

/** The steps that the definition has places for; the compiler knows those that have a function. */
export const placeholders = [...new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name as StepName))];

/** The name is given, not made by CloudFormation, so that the steps can know it: they are there before the state machine. */
export const stateMachineNameOf = ({ name }: { readonly name: string }) => `${name}-pipeline`;

/** The state machine and a function for each of its steps. */
export class Pipeline extends Construct {
  readonly stateMachine: StateMachine;
  readonly functions: readonly NodejsFunction[];

  constructor(scope: Construct, id: string, backend: Backend) {
    super(scope, id);
    const functions = placeholders.map((step) => [step, createFunction(this, functionOf(step), backend)] as const);
    this.functions = functions.map(([, created]) => created);

    const { settings, resources } = backend;
    const stateMachineName = stateMachineNameOf(settings);
    // Only under this prefix do log groups of Step Functions not fill up the account's one policy for logs.
    const logGroupName = `/aws/vendedlogs/states/${stateMachineName}`;
    const logs = new LogGroup(this, 'Logs', { logGroupName, retention: settings.logRetentionDays, removalPolicy: RemovalPolicy.DESTROY });
    const { trace, traceBySampling } = grants(resources);
    const own = [invoke(this.functions.map(({ functionArn }) => functionArn)), deliverLogs, trace, traceBySampling];
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName,
      definitionBody: DefinitionBody.fromString(definition),
      definitionSubstitutions: Object.fromEntries(functions.map(([step, { functionArn }]) => [step, functionArn])),
      role: createRole(this, 'Role', 'states', own),
      tracingEnabled: true,
      // Contents of photos are in neither history nor log.
      logs: { destination: logs, level: LogLevel.ERROR, includeExecutionData: false },
    });
    Validations.of(this.stateMachine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'Step Functions itself keeps each execution’s whole history for 90 days, and the app shows it. Some 60 events a photo in a log besides would be billed and tell nothing more; what failed is in the log.',
    });
  }
}
