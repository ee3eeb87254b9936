import * as v from 'valibot';
import { Transient } from '../../shared/errors.ts';
import { alertIdOf } from '../../shared/keys.ts';
import { loadAsset } from './assets.ts';
import { enqueueAlert, sendAlerts } from './outbox.ts';
import { claimant, task } from './state.ts';

/**
 * Publishes the record's matches whose rules ask for it, each once. When SNS cannot be reached, or the rule has just sent a message, they
 * wait in the outbox, which a timer empties, and the run ends well.
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
  try {
    for (const alert of alerts) await sendAlerts(backend, [alert]);
  } catch (thrown) {
    if (!(thrown instanceof Transient)) throw thrown;
    backend.warn(`Alerts for ${asset} wait in the outbox: ${thrown.message}`);
  }
  return {};
});
