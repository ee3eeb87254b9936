import type { MessagePortMain } from 'electron';
import type { Port } from '../../shared/rpc.ts';

/** Electron's message port as the contract's `Port`. Messages wait until a listener is there. */
export function portOf(port: MessagePortMain): Port {
  return {
    send: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on('message', ({ data }) => listener(data));
      port.start();
    },
    onClose: (listener) => port.on('close', listener),
  };
}
