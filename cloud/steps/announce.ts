import * as v from 'valibot';
import { messageOf, Transient } from '../../shared/errors.ts';
import { alertIdOf } from '../../shared/keys.ts';
import { loadAsset } from './assets.ts';
import { enqueueAlert, sendAlerts } from './outbox.ts';
import { claimant, task } from './state.ts';

/**
 * Publishes the record's matches whose rules ask for it, each once. Those of a rule that has just sent a message wait in the outbox, which a
 * timer empties. Once they are in there it ends well whatever SNS says: an original is not held back for a subscriber's sake.
 */
export const announce = task('Announce', v.pick(claimant, ['library', 'asset']), async ({ library, asset }, backend) => {
  const record = await loadAsset(backend, library, asset);
  const alerts = (record?.matches ?? [])
    .filter((match) => match.notify.sns)
    .map(({ rule, name: ruleName, because }) => ({
      alertId: alertIdOf(library, asset, rule),
      library,
      rule,
      ruleName,
      because,
      file: record?.name ?? asset,
    }));
  for (const alert of alerts) await enqueueAlert(backend, alert);
  for (const alert of alerts) {
    try {
      await sendAlerts(backend, [alert]);
    } catch (thrown) {
      backend.warn(`Alerts for ${asset} wait in the outbox: ${messageOf(thrown)}`);
      if (thrown instanceof Transient) break;
    }
  }
  return {};
});
