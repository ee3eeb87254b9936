/// <reference lib="dom" />

import { ipcRenderer } from 'electron';

// The only bridge: hands the page its two ports (agent, host) and nothing else of Electron.
ipcRenderer.on('pixwatch:ports', ({ ports }) => window.postMessage({ kind: 'pixwatch:port' }, window.location.origin, ports));
