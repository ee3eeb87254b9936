import type { Alert } from '../../shared/contract.ts';

/** A person reads so many notifications one by one; more that come within `windowMs` only bury the screen. */
const shownSingly = 3;
const windowMs = 15_000;

/**
 * Shows the first alerts of a burst, and of those that follow only how many there were, every now and then until it is over.
 * @param showMore gets how many alerts were not shown
 */
export function bundleAlerts(showOne: (alert: Alert) => void, showMore: (alerts: number) => void): (alert: Alert) => void {
  let shown = 0;
  let held = 0;
  let isBurst = false;
  const endWindow = () => {
    isBurst = held > 0;
    if (!isBurst) {
      shown = 0;
      return;
    }
    showMore(held);
    held = 0;
    // It may go on.
    setTimeout(endWindow, windowMs);
  };
  return (alert) => {
    if (!isBurst) setTimeout(endWindow, windowMs);
    isBurst = true;
    if (shown < shownSingly) {
      shown += 1;
      showOne(alert);
    } else held += 1;
  };
}
