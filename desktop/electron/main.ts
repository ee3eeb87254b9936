import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { app, dialog } from 'electron';
import * as v from 'valibot';
import { messageOf } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { pixwatchDataDir } from '../host/dataDir.ts';
import { startAgentProcess } from './agentProcess.ts';
import { createNotifier } from './notify.ts';
import { registerScheme, servePage } from './protocol.ts';
import { createTray } from './tray.ts';
import { createWindow } from './window.ts';

// Chromium adds switches of its own to the arguments, hence not strict; the CLI has checked what a person typed.
const { values } = parseArgs({
  strict: false,
  options: { data: { type: 'string' }, folder: { type: 'string' }, 'try-out': { type: 'boolean' } },
});
const dataDir = pixwatchDataDir(process.env, typeof values.data === 'string' ? values.data : undefined);
const folder = typeof values.folder === 'string' ? values.folder : null;
const firstArgs = [...(folder === null ? [] : [`--folder=${folder}`]), ...(values['try-out'] ? ['--try-out'] : [])];

// One instance a profile: Electron's lock belongs to its user-data folder, so each data folder gets its own.
app.setPath('userData', join(dataDir, 'electron'));
registerScheme();
if (app.requestSingleInstanceLock({ folder })) app.whenReady().then(run).catch(giveUp);
else app.quit();

async function run(): Promise<void> {
  let quitting = false;
  const notify = createNotifier(
    ({ asset }) => window.showAsset({ kind: 'openAsset', asset }),
    () => window.show(),
  );
  const agent = await startAgentProcess([`--data=${dataDir}`], firstArgs, (event) => {
    if (event.kind === 'statusChanged') showStatus(event.status);
    if (event.kind === 'alertRaised') notify(event.alert);
  });
  servePage(agent.client);
  const window = createWindow(agent, () => quitting);
  const showStatus = createTray({
    open: window.show,
    setPaused: (paused) => void (paused ? agent.client().pause({}) : agent.client().resume({})),
    quit: () => app.quit(),
  });
  showStatus(await agent.client().status({}));
  window.show();

  app.on('second-instance', (_event, _argv, _dir, handedOver) => {
    window.show();
    const { folder } = parse(fromSecondStart, handedOver, 'second start');
    if (folder !== null) agent.client().addFolder({ path: folder }).catch(refuseFolder);
  });
  app.on('activate', window.show);
  // The window only hides, so this never means "quit"; without a listener Electron would end the app.
  app.on('window-all-closed', () => {});
  app.on('before-quit', (event) => {
    if (quitting) return;
    quitting = true;
    event.preventDefault();
    void agent.close().finally(() => app.quit());
  });
}

/** What a second start says to the first. */
const fromSecondStart = v.object({ folder: v.nullable(v.string()) });

function refuseFolder(thrown: unknown): void {
  dialog.showErrorBox('The folder cannot be watched', messageOf(thrown));
}

function giveUp(thrown: unknown): void {
  dialog.showErrorBox('Pixwatch cannot start', messageOf(thrown));
  app.exit(1);
}
