import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';

export interface MailServer {
  readonly port: number;
  /** Every e-mail accepted so far, as it came: headers and body. */
  readonly inbox: string[];
  close(): Promise<void>;
}

/** A real mail server on loopback. Recipients at `refused.example` do not exist, those at `busy.example` are to be tried later. */
export async function startMailServer(port = 0, login?: { user: string; password: string }): Promise<MailServer> {
  const inbox: string[] = [];
  const server = new SMTPServer({
    disabledCommands: login ? ['STARTTLS'] : ['AUTH', 'STARTTLS'],
    authOptional: !login,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === login?.user && password === login?.password ? done(null, { user: username }) : done(new Error('wrong password')),
    onRcptTo({ address }, _session, done) {
      if (address.endsWith('@refused.example')) return done(Object.assign(new Error('no such person'), { responseCode: 550 }));
      if (address.endsWith('@busy.example')) return done(Object.assign(new Error('try later'), { responseCode: 450 }));
      done();
    },
    onData(stream, _session, done) {
      void text(stream).then((message) => {
        inbox.push(message);
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => new Promise<void>((resolve) => server.close(resolve));
  onTestFinished(close);
  return { port: (server.server.address() as AddressInfo).port, inbox, close };
}
