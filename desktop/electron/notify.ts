import { Notification } from 'electron';
import type { Alert } from '../../shared/contract.ts';

// A notification that is garbage-collected loses its click on some systems, so those on show are held here.
const onShow = new Set<Notification>();

/** Shows an alert as the system's own notification. */
export function notify(alert: Alert, onClick: () => void): void {
  if (!Notification.isSupported()) return;
  const notification = new Notification({ title: alert.ruleName, body: `${alert.because}: ${alert.fileName}` });
  onShow.add(notification);
  notification.on('click', onClick);
  notification.on('close', () => onShow.delete(notification));
  notification.show();
}
