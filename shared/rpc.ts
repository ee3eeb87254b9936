import * as v from 'valibot';
import { errorNamed, InvalidInput, messageOf, Transient } from './errors.ts';
import { parse } from './parse.ts';

/** The least a transport must do: carry structured-cloneable messages both ways, and say when it is gone. */
export interface Port {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
}

export interface Method {
  readonly input: v.GenericSchema;
  readonly output: v.GenericSchema;
}
export type Methods = Record<string, Method>;

/** Declares one call: what it takes and what it answers. */
export const method = <I extends v.GenericSchema, O extends v.GenericSchema>(input: I, output: O) => ({ input, output });

/** The object a caller holds: one async function per declared method. */
export type Client<M extends Methods> = {
  readonly [K in keyof M]: (input: v.InferInput<M[K]['input']>) => Promise<v.InferOutput<M[K]['output']>>;
};

/** The object a server supplies: the same names, inputs already validated. */
export type Handlers<M extends Methods> = {
  readonly [K in keyof M]: (input: v.InferOutput<M[K]['input']>) => Promise<v.InferInput<M[K]['output']>>;
};

const message = v.variant('kind', [
  v.object({ kind: v.literal('call'), id: v.number(), method: v.string(), input: v.unknown() }),
  v.object({ kind: v.literal('result'), id: v.number(), output: v.unknown() }),
  v.object({ kind: v.literal('failure'), id: v.number(), error: v.string(), text: v.string() }),
  v.object({ kind: v.literal('event'), event: v.unknown() }),
]);
type Message = v.InferOutput<typeof message>;

/**
 * Answers calls that arrive on a port. Inputs are validated against their schema before a handler sees them.
 * A message that is not one of ours is dropped: the other end is not trusted to be well-behaved.
 * @returns the function that pushes an event to the other end
 */
export function serve<M extends Methods, E>(port: Port, methods: M, handlers: Handlers<M>): (event: E) => void {
  const answer = async (id: number, name: string, input: unknown): Promise<Message> => {
    try {
      const declared = Object.hasOwn(methods, name) ? methods[name] : undefined;
      if (!declared) throw new InvalidInput(`there is no call named ${JSON.stringify(name)}`);
      return { kind: 'result', id, output: await handlers[name as keyof M](parse(declared.input, input, name) as never) };
    } catch (thrown) {
      return { kind: 'failure', id, error: thrown instanceof Error ? thrown.name : 'Error', text: messageOf(thrown) };
    }
  };
  port.onMessage((raw) => {
    const parsed = v.safeParse(message, raw);
    if (!parsed.success || parsed.output.kind !== 'call') return;
    const { id, method: name, input } = parsed.output;
    void answer(id, name, input).then((reply) => port.send(reply));
  });
  return (event) => port.send({ kind: 'event', event } satisfies Message);
}

/**
 * Makes a client whose every method is a call over the port. A failed call rejects with the server's error class;
 * when the port closes, every call still waiting rejects as `Transient`.
 */
export function connect<M extends Methods, E>(
  port: Port,
  methods: M,
  eventSchema: v.GenericSchema<unknown, E>,
  onEvent: (event: E) => void,
): Client<M> {
  let next = 0;
  let closed = false;
  const waiting = new Map<number, { method: string; resolve(value: unknown): void; reject(error: Error): void }>();
  port.onMessage((raw) => {
    const parsed = v.safeParse(message, raw);
    if (!parsed.success || parsed.output.kind === 'call') return;
    const reply = parsed.output;
    if (reply.kind === 'event') return onEvent(parse(eventSchema, reply.event, 'event'));
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.kind === 'failure') return caller?.reject(errorNamed(reply.error, reply.text));
    const output = methods[caller?.method ?? '']?.output;
    if (caller && output) {
      try {
        caller.resolve(parse(output, reply.output, caller.method));
      } catch (thrown) {
        caller.reject(thrown as Error);
      }
    }
  });
  port.onClose(() => {
    closed = true;
    for (const { reject } of waiting.values()) reject(new Transient('the connection to Pixwatch was closed'));
    waiting.clear();
  });
  const call = (name: string) => (input: unknown) =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new Transient('the connection to Pixwatch was closed'));
      const id = next++;
      waiting.set(id, { method: name, resolve, reject });
      port.send({ kind: 'call', id, method: name, input } satisfies Message);
    });
  return Object.fromEntries(Object.keys(methods).map((name) => [name, call(name)])) as unknown as Client<M>;
}
