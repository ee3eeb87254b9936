import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the next request that matches, and to that one only. */
export type Fault =
  /** The connection is reset after so many bytes of the request. */
  | { kind: 'reset'; afterBytes: number }
  /** Nothing passes any more, and nobody is told. */
  | { kind: 'stall'; afterBytes: number }
  /** The service gets the request and does it; its answer is lost. */
  | { kind: 'loseAnswer' }
  /** Something answers in the service's place. */
  | { kind: 'answer'; status: string; body: string };

/** A TCP line to the cloud that counts what passes and can be made faulty. */
export interface FaultyLine {
  readonly endpoint: string;
  /** Bytes of requests that began with `method` since the start (headers included), that were let through. */
  bytesUp(): number;
  /** How many requests there were whose first line matches. */
  requests(firstLine: RegExp): number;
  /** Lets one of the coming requests go wrong. @param skip so many that match go well before */
  inject(firstLine: RegExp, fault: Fault, skip?: number): void;
  /** Lets so many more bytes of requests through, and no more until `release`. */
  hold(afterBytes: number): void;
  release(): void;
  /** Refuses connections and cuts those that are open. */
  goDown(): void;
  goUp(): void;
  close(): Promise<void>;
}

interface Planned {
  readonly firstLine: RegExp;
  readonly fault: Fault;
  skip: number;
}

export async function startFaultyLine(port: number): Promise<FaultyLine> {
  const planned: Planned[] = [];
  const seen: string[] = [];
  const open = new Set<Socket>();
  const held: (() => void)[] = [];
  let holdAt = Number.POSITIVE_INFINITY;
  let bytesUp = 0;
  let isDown = false;

  const server: Server = createServer((client) => {
    if (isDown) return void client.resetAndDestroy();
    const service = connect(port, '127.0.0.1');
    for (const socket of [client, service]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    carry(client, service);
  });

  /** A client sends its next request on a connection when it has the answer to the one before; so a request begins after an answer. */
  function carry(client: Socket, service: Socket): void {
    let fault: Fault | null = null;
    let isNew = true;
    let isAnswered = false;
    let passed = 0;
    client.on('data', (data) => {
      if (bytesUp < holdAt) return pass(data);
      client.pause();
      held.push(() => {
        pass(data);
        client.resume();
      });
    });
    const pass = (data: Buffer) => {
      if (isNew) {
        const firstLine = data.subarray(0, data.indexOf('\r\n')).toString();
        seen.push(firstLine);
        fault = takeFault(firstLine);
        passed = 0;
        isNew = false;
      }
      if (fault?.kind === 'stall' && passed >= fault.afterBytes) return;
      if (fault?.kind === 'reset' && passed + data.length >= fault.afterBytes) return void client.resetAndDestroy();
      if (fault?.kind === 'answer') {
        if (!isAnswered) answer(client, fault);
        isAnswered = true;
        return;
      }
      passed += data.length;
      bytesUp += data.length;
      if (!service.write(data)) {
        client.pause();
        service.once('drain', () => client.resume());
      }
    };
    service.on('data', (data) => {
      isNew = true;
      if (fault?.kind === 'loseAnswer') client.resetAndDestroy();
      else if (fault?.kind !== 'stall') client.write(data);
    });
    client.on('close', () => service.destroy());
    service.on('close', () => client.destroy());
  }

  function takeFault(firstLine: string): Fault | null {
    const at = planned.findIndex((plan) => plan.firstLine.test(firstLine) && plan.skip-- === 0);
    return at === -1 ? null : (planned.splice(at, 1)[0]?.fault ?? null);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytesUp: () => bytesUp,
    requests: (firstLine) => seen.filter((line) => firstLine.test(line)).length,
    inject: (firstLine, fault, skip = 0) => void planned.push({ firstLine, fault, skip }),
    hold(afterBytes) {
      holdAt = bytesUp + afterBytes;
    },
    release() {
      holdAt = Number.POSITIVE_INFINITY;
      for (const pass of held.splice(0)) pass();
    },
    goDown() {
      isDown = true;
      for (const socket of open) socket.resetAndDestroy();
    },
    goUp() {
      isDown = false;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The request's body may still be coming; it is taken in so that the client gets to read the answer. */
function answer(client: Socket, { status, body }: Extract<Fault, { kind: 'answer' }>): void {
  client.write(
    `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => client.end(), 200);
}
