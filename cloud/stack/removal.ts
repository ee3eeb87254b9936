import { RemovalPolicy } from 'aws-cdk-lib';
import type { Settings } from './settings.ts';

type Chosen = Pick<Settings, 'removalPolicy'>;

/**
 * What becomes of a resource that holds what people would miss (photos, index, accounts, the trail of who did what) when the stack is
 * deleted. All else can be made again by deploying and always goes. So does what a first deployment made that failed: nobody has used it.
 */
export const removalPolicyOf = ({ removalPolicy }: Chosen): RemovalPolicy =>
  removalPolicy === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;

/**
 * The same for what has a deletion protection of its own, besides. It refuses to go also when a first deployment fails, which could then not even be taken back;
 * so it stays behind, empty and free of charge.
 */
export const protectedRemovalPolicyOf = ({ removalPolicy }: Chosen): RemovalPolicy =>
  removalPolicy === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
