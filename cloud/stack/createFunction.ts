import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, type FunctionOptions, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { parse } from '../../shared/parse.ts';
import { type BackendNames, pipelineSettings } from '../steps/backend.ts';
import { bundlingWith, entryOf, projectRoot } from './bundling.ts';
import { type FunctionName, functions } from './functions.ts';
import { grants, type Resources, writeLogs } from './grants.ts';
import type { Deployed } from './quotas.ts';
import { createRole } from './role.ts';

/** What functions share. */
export interface Backend {
  readonly settings: Deployed;
  readonly names: BackendNames;
  readonly resources: Resources;
}

/**
 * Makes the function of a file in cloud/functions, which may do what functions.ts grants it and nothing else.
 * @param more settings of Lambda's for this one
 */
export function createFunction(scope: Construct, name: FunctionName, backend: Backend, more: FunctionOptions = {}): NodejsFunction {
  const { memory, seconds, grants: granted, native, untraced } = functions[name];
  const { settings, names, resources } = backend;
  const logGroup = new LogGroup(scope, `${name}Logs`, { retention: settings.logRetentionDays, removalPolicy: RemovalPolicy.DESTROY });
  const all = grants(resources);
  const own = [writeLogs(logGroup.logGroupArn), ...(untraced ? [] : [all.trace]), ...granted.map((grant) => all[grant])];
  return new NodejsFunction(scope, name, {
    entry: entryOf(name),
    projectRoot,
    depsLockFilePath: `${projectRoot}package-lock.json`,
    bundling: bundlingWith(native),
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: memory,
    timeout: Duration.seconds(seconds),
    tracing: untraced ? Tracing.DISABLED : Tracing.ACTIVE,
    logGroup,
    role: createRole(scope, `${name}Role`, 'lambda', own),
    environment: {
      PIXWATCH_NAMES: JSON.stringify(names),
      PIXWATCH_SETTINGS: JSON.stringify(parse(pipelineSettings, { ...settings, priceRegion: settings.region }, 'settings')),
      NODE_OPTIONS: '--enable-source-maps',
    },
    ...more,
  });
}
