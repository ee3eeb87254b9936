import { fileURLToPath } from 'node:url';
import { Menu, nativeImage, Tray } from 'electron';
import type { Status } from '../../shared/contract.ts';
import { statusLine } from '../host/statusLine.ts';

export interface TrayActions {
  open(): void;
  setPaused(paused: boolean): void;
  quit(): void;
}

/**
 * Shows the tray icon with its menu.
 * @returns the function that shows a new status
 */
export function createTray(actions: TrayActions): (status: Status) => void {
  const tray = new Tray(nativeImage.createFromPath(fileURLToPath(new URL('./tray.png', import.meta.url))));
  tray.on('click', actions.open);
  const show = (status: Status | null) => {
    const line = status ? statusLine(status) : 'Starting…';
    tray.setToolTip(`Pixwatch: ${line}`);
    tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: line, enabled: false },
        { type: 'separator' },
        { label: 'Open Pixwatch', click: actions.open },
        status?.paused
          ? { label: 'Resume uploading', click: () => actions.setPaused(false) }
          : { label: 'Pause uploading', click: () => actions.setPaused(true), enabled: status !== null },
        { type: 'separator' },
        { label: 'Quit Pixwatch', click: actions.quit },
      ]),
    );
  };
  show(null);
  return show;
}
