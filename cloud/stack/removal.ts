import { RemovalPolicy } from 'aws-cdk-lib';
import type { Settings } from './settings.ts';

/**
 * What becomes of a resource that holds what people would miss (photos, index, accounts, the trail of who did what) when the stack is
 * deleted. All else can be made again by deploying and always goes.
 */
export const removalPolicyOf = ({ removalPolicy }: Pick<Settings, 'removalPolicy'>): RemovalPolicy =>
  removalPolicy === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
