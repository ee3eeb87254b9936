import { fileURLToPath } from 'node:url';
import { BrowserWindow, dialog, MessageChannelMain, shell } from 'electron';
import { type HostEvent, hostMethods } from '../../shared/contract.ts';
import { type Handlers, serve } from '../../shared/rpc.ts';
import type { AgentProcess } from './agentProcess.ts';
import { portOf } from './port.ts';
import { pageUrl } from './protocol.ts';

export interface AppWindow {
  show(): void;
  showAsset(event: HostEvent): void;
}

/**
 * Makes the one window. Closing it hides it to the tray; the page's ports are renewed whenever it loads.
 * @param mayQuit says whether a close is meant to end the app
 */
export function createWindow(agent: AgentProcess, mayQuit: () => boolean): AppWindow {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    minWidth: 400,
    minHeight: 400,
    show: false,
    title: 'Pixwatch',
    webPreferences: {
      preload: fileURLToPath(new URL('../../dist/preload.cjs', import.meta.url)),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.removeMenu();
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-navigate', (event) => event.preventDefault());
  window.on('close', (event) => {
    if (mayQuit()) return;
    event.preventDefault();
    window.hide();
  });

  let pushToPage: ((event: HostEvent) => void) | null = null;
  window.webContents.on('did-finish-load', () => {
    const agentChannel = new MessageChannelMain();
    const hostChannel = new MessageChannelMain();
    agent.attach(agentChannel.port1);
    pushToPage = serve(portOf(hostChannel.port1), hostMethods, hostHandlers(window));
    window.webContents.postMessage('pixwatch:ports', null, [agentChannel.port2, hostChannel.port2]);
  });
  agent.onRestart(() => window.webContents.reload());
  void window.loadURL(pageUrl);

  const show = () => {
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  };
  return {
    show,
    showAsset(event) {
      show();
      pushToPage?.(event);
    },
  };
}

const hostHandlers = (window: BrowserWindow): Handlers<typeof hostMethods> => ({
  async chooseFolder() {
    const { filePaths } = await dialog.showOpenDialog(window, { properties: ['openDirectory'], title: 'Choose a folder of photos' });
    return filePaths[0] ?? null;
  },
  async showFile({ path }) {
    shell.showItemInFolder(path);
    return {};
  },
});
