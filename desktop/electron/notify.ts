import { Notification, type NotificationConstructorOptions } from 'electron';
import type { Alert } from '../../shared/contract.ts';
import { bundleAlerts } from './bundleAlerts.ts';
import { plainBody } from './plainBody.ts';

// A notification that is garbage-collected loses its click on some systems, so those on show are held here.
const onShow = new Set<Notification>();

/**
 * Shows alerts as the system's own notifications, those of a burst as one.
 * @param openAlert a single one was clicked
 * @param open that of a burst was clicked
 */
export function createNotifier(openAlert: (alert: Alert) => void, open: () => void): (alert: Alert) => void {
  return bundleAlerts(
    (alert) =>
      show({ title: alert.ruleName, body: plainBody(`${alert.because}: ${alert.fileName}`, process.platform) }, () => openAlert(alert)),
    (more) => show({ title: 'Pixwatch', body: `${more} more ${more === 1 ? 'alert' : 'alerts'}` }, open),
  );
}

function show(content: NotificationConstructorOptions, onClick: () => void): void {
  if (!Notification.isSupported()) return;
  const notification = new Notification(content);
  onShow.add(notification);
  notification.on('click', onClick);
  notification.on('close', () => onShow.delete(notification));
  notification.show();
}
