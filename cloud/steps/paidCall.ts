import { type PaidApi, paidApis } from '../../shared/cost.ts';
import { messageOf, Throttled } from '../../shared/errors.ts';
import { isRefused, isThrottling } from './awsErrors.ts';
import type { Backend } from './backend.ts';
import { warnOfCap } from './budget.ts';
import { takeToken } from './rate.ts';
import { giveBack, type Reservation, reserve } from './usage.ts';

/** Whether an API may be called at all. */
export const isOn = ({ settings }: Backend, api: PaidApi): boolean => settings.detectors[paidApis[api].detector];

/**
 * Makes a call that Rekognition bills. There is no other way to it: what is switched off is never called, no faster than the settings
 * say, and not beyond the month's cap.
 * @param units that are billed: 1 image, or so many minutes of video
 * @returns null when it is switched off
 * @throws Throttled, OverBudget, else what `ask` throws
 */
export async function paidCall<A>(backend: Backend, api: PaidApi, ask: () => Promise<A>, units = 1): Promise<A | null> {
  if (!isOn(backend, api)) return null;
  await takeToken(backend, api);
  const { reserved, usage } = await reserve(backend, api, units);
  await warnOfCap(backend, reserved.month, usage);
  try {
    return await ask();
  } catch (thrown) {
    if (isRefused(thrown)) await giveBackOrWarn(backend, reserved);
    throw isThrottling(thrown) ? new Throttled(messageOf(thrown), { cause: thrown }) : thrown;
  }
}

/** What cannot be given back stays counted, which is the safe side. */
async function giveBackOrWarn(backend: Backend, reserved: Reservation): Promise<void> {
  try {
    await giveBack(backend, reserved);
  } catch (thrown) {
    backend.warn(`A call of ${reserved.api} that was refused stays counted: ${messageOf(thrown)}`);
  }
}
