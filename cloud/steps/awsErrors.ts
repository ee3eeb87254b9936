import { Transient } from '../../shared/errors.ts';

/** The part of an SDK client that is needed to watch its calls. */
interface Client {
  readonly middlewareStack: { add(middleware: typeof judge, options: { step: 'initialize'; priority: 'high'; name: string }): void };
}

/**
 * Makes a client's calls throw `Transient` where the same call may succeed later. The one place that judges errors of AWS; it sees
 * them after the SDK's own retries.
 * @returns the client
 */
export function throwByClass<C extends Client>(client: C): C {
  client.middlewareStack.add(judge, { step: 'initialize', priority: 'high', name: 'throwByClass' });
  return client;
}

const judge =
  <A, R>(next: (args: A) => Promise<R>) =>
  async (args: A): Promise<R> => {
    try {
      return await next(args);
    } catch (thrown) {
      throw byClass(thrown);
    }
  };

// As in @smithy/core's service-error-classification, which is not public.
const throttling =
  /^(BandwidthLimitExceeded|(Execution)?LimitExceeded(Exception)?|ProvisionedThroughputExceeded(Exception)?|RequestLimitExceeded|(Request)?Throttl(ed|ing)(Exception)?|SlowDown|TooManyRequestsException|TransactionInProgressException)$/;

/** Whether AWS was asked too much at once. @param thrown by a client of `throwByClass` */
export const isThrottling = (thrown: unknown): boolean => throttling.test(errorOf(thrown).name);

/** Whether AWS has answered that it did not do what it was asked for: then it does not bill it either. @param thrown by a client of `throwByClass` */
export function isRefused(thrown: unknown): boolean {
  const status = errorOf(thrown).$metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}

const timeout = /^(TimeoutError|RequestTimeout(Exception)?|RequestAborted)$/;
const network = /^(ECONN(RESET|REFUSED|ABORTED)|EPIPE|ETIMEDOUT|E(HOST|NET)UNREACH|ENOTFOUND|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE)$/;

/**
 * What to throw for an error of the SDK: `Transient` for throttling, 5xx, timeouts and the network, else the error as it is. A refused
 * permission or a missing table is no fault of the asset: it must not be rejected for that, so it stays an unknown error, which fails the
 * execution and can be tried again from the dead letters.
 */
export function byClass(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof Transient) return thrown;
  const { name, message, code, $metadata } = errorOf(thrown);
  const status = $metadata?.httpStatusCode ?? 0;
  const again = status >= 500 || status === 429 || throttling.test(name) || timeout.test(name) || network.test(String(code));
  return again ? new Transient(`${name}: ${message}`, { cause: thrown }) : thrown;
}

interface AwsError extends Error {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The SDK's own error. */
function errorOf(thrown: unknown): Partial<AwsError> & Pick<Error, 'name' | 'message'> {
  const error = thrown instanceof Transient ? thrown.cause : thrown;
  return error instanceof Error ? error : { name: '', message: '' };
}
