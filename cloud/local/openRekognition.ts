import { messageOf, Transient } from '../../shared/errors.ts';
import { type Service, ServiceError } from './gateway/service.ts';
import { createRekognition, type Rekognition, type RekognitionOptions } from './rekognition/createRekognition.ts';
import { ensureModels, type StoreOptions } from './rekognition/models/ensureModels.ts';
import { repeat } from './repeat.ts';

export interface OpenRekognitionOptions extends Omit<RekognitionOptions, 'models'>, Pick<StoreOptions, 'dir' | 'onProgress'> {
  /** Called once, when the weights are there. */
  onReady(): void;
  /** Gets one line when the weights cannot be fetched. */
  log(line: string): void;
  /** Called with the reason when the weights cannot be fetched, and with null when they are there after all. */
  onBlind(reason: string | null): void;
}

export interface OpenedRekognition {
  /** Answers with an error that asks to try later as long as the weights are not there. */
  readonly service: Service;
  /** Fulfils when the weights are there; rejects when they could not be fetched at the first try. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens Rekognition on the weights in `dir`. What is missing of them is fetched meanwhile, again and again as long as that may succeed
 * later.
 */
export function openRekognition({ dir, onProgress, onReady, log, onBlind, ...options }: OpenRekognitionOptions): OpenedRekognition {
  let rekognition: Rekognition | null = null;
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  // Whoever wants to know waits for it; that nobody does is no failure.
  ready.catch(() => {});

  let told = '';
  const tell = (thrown: unknown) => {
    const reason = messageOf(thrown);
    if (reason !== told) {
      log(`Pictures are not looked at yet: ${reason}`);
      onBlind(reason);
    }
    told = reason;
    reject(thrown);
  };
  const open = async (signal: AbortSignal) => {
    try {
      rekognition = createRekognition({ models: await ensureModels({ dir, onProgress, signal }), ...options });
      resolve();
      if (told !== '') onBlind(null);
      onReady();
    } catch (thrown) {
      if (signal.aborted || thrown instanceof Transient) throw thrown;
      tell(thrown);
    }
    return null;
  };
  const opening = repeat(open, tell);

  return {
    async service(request, response) {
      if (!rekognition) throw new ServiceError('ServiceUnavailableException', 'The vision models are still being fetched.', 503);
      await rekognition.service(request, response);
    },
    ready,
    async close() {
      await opening.close();
      await rekognition?.close();
    },
  };
}
