import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Clock } from '../../shared/clock.ts';
import { InvalidInput } from '../../shared/errors.ts';

/** How a queue behaves; times in milliseconds. */
export interface QueueSettings {
  readonly visibilityTimeout: number;
  /** After this many receives without a delete a message moves to `queue`. */
  readonly deadLetters?: { readonly queue: string; readonly maxReceiveCount: number };
}

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
}

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly sentAt: number;
  readonly receiveCount: number;
  readonly firstReceivedAt: number;
  /** Names this receive of the message; void once it is received again. */
  readonly receipt: string;
  /** The queue it was moved from by the redrive policy. */
  readonly source: string | null;
}

/** At-least-once queues in SQLite: what was sent stays until it is deleted, whatever happens to the process. */
export interface Queues {
  readonly settings: ReadonlyMap<string, QueueSettings>;
  /** @returns the message's id */
  send(queue: string, body: string, attributes?: Readonly<Record<string, MessageAttribute>>, delay?: number): string;
  /**
   * Takes up to `max` messages; they stay hidden for `visibility` ms, then come again unless deleted. Waits up to `wait` ms for the first.
   * @returns an empty list when none came in time, or `signal` was aborted
   */
  receive(queue: string, options: ReceiveOptions): Promise<Message[]>;
  /** Does nothing when the message was received again since, as SQS. */
  delete(queue: string, receipt: string): void;
  /** @returns false when there is no such message in flight */
  changeVisibility(queue: string, receipt: string, visibility: number): boolean;
  count(queue: string): QueueCount;
}

export interface QueueCount {
  readonly waiting: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
  readonly inFlight: number;
}

export interface ReceiveOptions {
  readonly max: number;
  readonly wait: number;
  /** Else the queue's own. */
  readonly visibility?: number;
  readonly signal?: AbortSignal;
}

/** @param settings every queue there is, by name */
export function createQueues(sql: DatabaseSync, clock: Clock, settings: ReadonlyMap<string, QueueSettings>): Queues {
  const statements = prepareStatements(sql);
  // Whoever had received these ended with the last process, before deleting them.
  statements.giveBack.run({ now: clock.now() });
  const changes = new EventEmitter().setMaxListeners(0);

  const settingsOf = (queue: string): QueueSettings => {
    const found = settings.get(queue);
    if (!found) throw new InvalidInput(`there is no queue named ${queue}`);
    return found;
  };
  /** What SQS does on every receive: messages received too often go to the dead letters, then up to `max` due ones are handed out. */
  const take = (queue: string, { deadLetters }: QueueSettings, max: number, visibility: number): Message[] => {
    const now = clock.now();
    if (
      deadLetters &&
      statements.redrive.run({ queue, now, to: deadLetters.queue, maxReceiveCount: deadLetters.maxReceiveCount }).changes > 0
    ) {
      changes.emit(deadLetters.queue);
    }
    return statements.take.all({ queue, now, max, visibleAt: now + visibility }).map(toMessage);
  };

  return {
    settings,
    send(queue, body, attributes = {}, delay = 0) {
      settingsOf(queue);
      const id = randomUUID();
      const now = clock.now();
      statements.insert.run({ id, queue, body, attributes: JSON.stringify(attributes), now, visibleAt: now + delay });
      changes.emit(queue);
      return id;
    },
    async receive(queue, { max, wait, visibility, signal }) {
      const own = settingsOf(queue);
      const deadline = clock.now() + wait;
      for (;;) {
        if (signal?.aborted) return [];
        const messages = take(queue, own, max, visibility ?? own.visibilityTimeout);
        const left = deadline - clock.now();
        if (messages.length > 0 || left <= 0) return messages;
        const due = statements.nextDue.get(queue)?.['at'];
        await changeWithin(changes, queue, due === null ? left : Math.min(left, Number(due) - clock.now()), signal);
      }
    },
    delete: (queue, receipt) => void statements.remove.run(queue, receipt),
    changeVisibility(queue, receipt, visibility) {
      const now = clock.now();
      const { changes: changed } = statements.hide.run({ queue, receipt, now, visibleAt: now + visibility });
      changes.emit(queue);
      return changed > 0;
    },
    count: (queue) => statements.count.get({ queue, now: clock.now() }) as unknown as QueueCount,
  };
}

function prepareStatements(sql: DatabaseSync) {
  return {
    insert: sql.prepare(
      'INSERT INTO message (id, queue, body, attributes, sent_at, visible_at) VALUES (:id, :queue, :body, :attributes, :now, :visibleAt)',
    ),
    redrive: sql.prepare(`
      UPDATE message SET queue = :to, source = :queue, visible_at = :now, receive_count = 0, first_received_at = NULL, receipt = NULL
      WHERE queue = :queue AND visible_at <= :now AND receive_count >= :maxReceiveCount`),
    take: sql.prepare(`
      UPDATE message SET visible_at = :visibleAt, receive_count = receive_count + 1, receipt = n || '-' || lower(hex(randomblob(16))),
        first_received_at = coalesce(first_received_at, :now)
      WHERE n IN (SELECT n FROM message WHERE queue = :queue AND visible_at <= :now ORDER BY visible_at, n LIMIT :max)
      RETURNING *`),
    giveBack: sql.prepare('UPDATE message SET visible_at = :now WHERE visible_at > :now AND receipt IS NOT NULL'),
    remove: sql.prepare('DELETE FROM message WHERE queue = ? AND receipt = ?'),
    hide: sql.prepare('UPDATE message SET visible_at = :visibleAt WHERE queue = :queue AND receipt = :receipt AND visible_at > :now'),
    nextDue: sql.prepare('SELECT min(visible_at) AS at FROM message WHERE queue = ?'),
    count: sql.prepare(`
      SELECT count(*) FILTER (WHERE visible_at <= :now) AS waiting,
        count(*) FILTER (WHERE visible_at > :now AND receipt IS NULL) AS delayed,
        count(*) FILTER (WHERE visible_at > :now AND receipt IS NOT NULL) AS inFlight
      FROM message WHERE queue = :queue`),
  };
}

function toMessage(row: Record<string, SQLOutputValue>): Message {
  return {
    id: String(row['id']),
    body: String(row['body']),
    attributes: JSON.parse(String(row['attributes'])),
    sentAt: Number(row['sent_at']),
    receiveCount: Number(row['receive_count']),
    firstReceivedAt: Number(row['first_received_at']),
    receipt: String(row['receipt']),
    source: row['source'] === null ? null : String(row['source']),
  };
}

/** Waits for a change of the queue, `ms`, or `signal`, whichever is first. */
async function changeWithin(changes: EventEmitter, queue: string, ms: number, signal?: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(Math.max(0, ms));
  await once(changes, queue, { signal: signal ? AbortSignal.any([timeout, signal]) : timeout }).catch((thrown: unknown) => {
    if (!(thrown instanceof Error && thrown.name === 'AbortError')) throw thrown;
  });
}
