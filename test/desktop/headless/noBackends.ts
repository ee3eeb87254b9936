import { backendMethods } from '../../../shared/contract.ts';
import { Permanent } from '../../../shared/errors.ts';
import type { Handlers } from '../../../shared/rpc.ts';

/** For a page of an agent alone, whose test does not change the backend. */
export const noBackends = Object.fromEntries(
  Object.keys(backendMethods).map((name) => [name, () => Promise.reject(new Permanent('There is no other backend here.'))]),
) as unknown as Handlers<typeof backendMethods>;
