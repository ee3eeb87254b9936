import { chmod, readFile } from 'node:fs/promises';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { createTransport } from 'nodemailer';
import * as v from 'valibot';
import type { Clock } from '../../shared/clock.ts';
import { InvalidInput, messageOf, Transient } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { repeat } from './repeat.ts';

export interface Email {
  /** Stays the same however often it is sent. */
  readonly messageId: string;
  readonly recipient: string;
  readonly subject: string;
  readonly body: string;
}

export interface EmailsOptions {
  readonly sql: DatabaseSync;
  readonly clock: Clock;
  /** The file with the mail server's settings, see `smtpSettings`. Read whenever there is something to send. */
  readonly settingsPath: string;
  /** Gets a line when e-mails begin to wait, with the reason, and for each one that is given up. */
  log(line: string): void;
}

export interface Emails {
  /** Takes an e-mail to be sent: it is kept until the mail server has accepted it. */
  add(email: Email): void;
  close(): Promise<void>;
}

// The messages are our own, as valibot's would quote the password.
const smtpSettings = v.object({
  host: v.pipe(v.string('must be the mail server’s name'), v.minLength(1, 'must be the mail server’s name')),
  port: v.pipe(v.number('must be a port number'), v.integer('must be a port number'), v.minValue(1), v.maxValue(65_535)),
  /** TLS from the first byte (port 465); otherwise STARTTLS where the server offers it, and always before a password is sent. */
  secure: v.optional(v.boolean('must be true or false'), false),
  user: v.optional(v.string('must be text')),
  password: v.optional(v.string('must be text')),
  from: v.pipe(v.string('must be the sender’s address'), v.minLength(3, 'must be the sender’s address')),
});
type SmtpSettings = v.InferOutput<typeof smtpSettings>;

const firstRetryMs = 30_000;
const longestRetryMs = 3_600_000;
const batchSize = 50;

/** Sends e-mails by SMTP from a queue in SQLite, so that a mail server that is down loses none. */
export function createEmails({ sql, clock, settingsPath, log }: EmailsOptions): Emails {
  const statements = prepareStatements(sql);
  /** Why e-mails wait; said once. */
  let problem: string | null = null;

  const sendDue = async (signal: AbortSignal): Promise<number | null> => {
    const due = statements.due.all(clock.now()).map(toWaiting);
    if (due.length === 0) {
      const next = statements.next.get()?.['at'];
      return typeof next === 'number' ? Math.max(0, next - clock.now()) : null;
    }
    const { from, ...server } = await readSettings(settingsPath);
    const transport = connect(server);
    try {
      for (const email of due) {
        settle(email, await handOver(transport, from, email, signal));
        problem = null;
      }
    } catch (thrown) {
      throw new Transient(`the mail server ${server.host}:${server.port} cannot be used: ${messageOf(thrown)}`, { cause: thrown });
    } finally {
      transport.close();
    }
    return 0;
  };

  const settle = (email: WaitingEmail, handed: Handed) => {
    if (handed.kind === 'later') {
      return statements.postpone.run({ n: email.n, at: clock.now() + Math.min(longestRetryMs, firstRetryMs * 2 ** email.tries) });
    }
    if (handed.kind === 'refused') log(`The mail server refuses ${email.recipient}; the e-mail is given up: ${handed.reason}`);
    return statements.remove.run(email.n);
  };

  const sending = repeat(sendDue, (thrown) => {
    const reason = messageOf(thrown);
    if (reason !== problem) log(`E-mails wait to be sent: ${reason}`);
    problem = reason;
  });
  return {
    add(email) {
      statements.add.run({ ...email, now: clock.now() });
      sending.wake();
    },
    close: () => sending.close(),
  };
}

/** What the mail server did with an e-mail: took it, will take it later, or says that there is no such recipient. */
type Handed = { readonly kind: 'accepted' | 'later' } | { readonly kind: 'refused'; readonly reason: string };

/** @throws when the mail server, not the e-mail, is the problem */
async function handOver(transport: Mailer, from: string, email: WaitingEmail, signal: AbortSignal): Promise<Handed> {
  const { messageId, recipient: to, subject, body: text } = email;
  try {
    await transport.sendMail({ from, to, subject, text, messageId: `<${messageId}@pixwatch.local>`, signal });
    return { kind: 'accepted' };
  } catch (thrown) {
    const { command, responseCode = 0 } = parseSmtpError(thrown);
    if (command === 'RCPT TO' && responseCode >= 500) return { kind: 'refused', reason: messageOf(thrown) };
    if (command === 'RCPT TO' || command === 'DATA') return { kind: 'later' };
    throw thrown;
  }
}

type Mailer = ReturnType<typeof connect>;

interface WaitingEmail extends Email {
  readonly n: number;
  readonly tries: number;
}

function connect({ host, port, secure, user, password }: Omit<SmtpSettings, 'from'>) {
  return createTransport({
    pool: true,
    maxConnections: 1,
    maxRequeues: 0,
    host,
    port,
    secure,
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    requireTLS: user !== undefined && !secure && !isLoopback(host),
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    socketTimeout: 60_000,
  });
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');

const smtpError = v.object({ command: v.optional(v.string()), responseCode: v.optional(v.number()) });

function parseSmtpError(thrown: unknown): v.InferOutput<typeof smtpError> {
  const { success, output } = v.safeParse(smtpError, thrown);
  return success ? output : {};
}

/** @throws InvalidInput with a sentence that says what to do, and quotes nothing of the file */
async function readSettings(path: string): Promise<SmtpSettings> {
  const example = '{"host": "smtp.example.org", "port": 465, "secure": true, "user": "…", "password": "…", "from": "pixwatch@example.org"}';
  let text: string;
  try {
    // It holds a password, and people make it with an editor.
    await chmod(path, 0o600);
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    throw new InvalidInput(`no mail server is set up. Write its settings to ${path}, like ${example}`, { cause: thrown });
  }
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch {
    // Not as the cause: JSON.parse quotes the text, and with it the password.
    throw new InvalidInput(`${path} is no JSON. It must be like ${example}`);
  }
  return parse(smtpSettings, settings, path);
}

function prepareStatements(sql: DatabaseSync) {
  return {
    add: sql.prepare(
      'INSERT INTO email (message_id, recipient, subject, body, next_try_at) VALUES (:messageId, :recipient, :subject, :body, :now)',
    ),
    due: sql.prepare(`SELECT * FROM email WHERE next_try_at <= ? ORDER BY next_try_at, n LIMIT ${batchSize}`),
    next: sql.prepare('SELECT min(next_try_at) AS at FROM email'),
    remove: sql.prepare('DELETE FROM email WHERE n = ?'),
    postpone: sql.prepare('UPDATE email SET tries = tries + 1, next_try_at = :at WHERE n = :n'),
  };
}

function toWaiting(row: Record<string, SQLOutputValue>): WaitingEmail {
  return {
    n: Number(row['n']),
    messageId: String(row['message_id']),
    recipient: String(row['recipient']),
    subject: String(row['subject']),
    body: String(row['body']),
    tries: Number(row['tries']),
  };
}
