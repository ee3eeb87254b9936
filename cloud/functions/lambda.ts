import { systemClock } from '../../shared/clock.ts';
import { type Backend, backendFromEnv } from '../steps/backend.ts';

/** The part of Lambda's context that is needed. */
export interface Context {
  /** Who invoked the function, when its credentials are Cognito's. */
  readonly identity?: { readonly cognitoIdentityId?: string };
  /** With the alias behind it when it was invoked by one. */
  readonly invokedFunctionArn?: string;
}

/** Makes a Lambda handler. The backend is made once, when the function starts. */
export function lambda<T>(run: (event: unknown, backend: Backend, context: Context) => Promise<T>) {
  const backend = backendFromEnv(process.env, systemClock);
  return (event: unknown, context: Context): Promise<T> => run(event, backend, context);
}
