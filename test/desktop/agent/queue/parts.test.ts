import { describe, expect, test, vi } from 'vitest';
import { backoffMs } from '../../../../desktop/agent/queue/backoff.ts';
import { createBell } from '../../../../desktop/agent/queue/bell.ts';
import { createGate } from '../../../../desktop/agent/queue/gate.ts';
import { followProgress } from '../../../../desktop/agent/queue/progress.ts';
import { createSlots } from '../../../../desktop/agent/queue/slots.ts';
import { systemClock } from '../../../../shared/clock.ts';

const never = new AbortController().signal;

test('backoff doubles up to its limit, and half of it is random', () => {
  const backoff = { firstMs: 100, longestMs: 1000 };
  expect([1, 2, 3, 4, 5, 1000].map((failures) => backoffMs(failures, backoff, () => 0))).toEqual([50, 100, 200, 400, 500, 500]);
  expect([1, 2, 3, 4, 5, 1000].map((failures) => backoffMs(failures, backoff, () => 1))).toEqual([100, 200, 400, 800, 1000, 1000]);
});

describe('slots', () => {
  const entered = async (promise: Promise<unknown>) => (await Promise.race([promise.then(() => true), Promise.resolve(false)])) === true;

  test('bound the number of requests', async () => {
    const slots = createSlots({ requests: 2, bytes: 1000 });
    const release = await slots.acquire(1, never);
    await slots.acquire(1, never);
    const third = slots.acquire(1, never);
    expect(await entered(third)).toBe(false);
    release();
    await third;
  });

  test('bound the bytes, but let a request in that is larger than all the room', async () => {
    const slots = createSlots({ requests: 8, bytes: 100 });
    const release = await slots.acquire(500, never);
    const next = slots.acquire(60, never);
    const small = slots.acquire(10, never);
    expect(await entered(small)).toBe(false);
    release();
    await next;
    await small;
  });

  test('keep the order, so that a large request does not wait for ever', async () => {
    const slots = createSlots({ requests: 8, bytes: 100 });
    const release = await slots.acquire(60, never);
    const large = slots.acquire(100, never);
    const small = slots.acquire(10, never);
    expect(await entered(small)).toBe(false);
    release();
    (await large)();
    await small;
  });

  test('give nothing while paused; what waits goes on after', async () => {
    const slots = createSlots({ requests: 8, bytes: 100 });
    slots.pause();
    const waiting = slots.acquire(1, never);
    expect(await entered(waiting)).toBe(false);
    slots.resume();
    await waiting;
  });

  test('a request that is broken off gives its place up', async () => {
    const slots = createSlots({ requests: 1, bytes: 100 });
    const release = await slots.acquire(1, never);
    const stop = new AbortController();
    const waiting = slots.acquire(1, stop.signal);
    const behind = slots.acquire(1, never);
    stop.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(slots.acquire(1, stop.signal)).rejects.toThrow('gone');
    release();
    await behind;
  });
});

describe('gate', () => {
  const backoff = { firstMs: 20, longestMs: 40 };
  const openGate = () => createGate(backoff, () => 1);

  test('lets everybody in while all is well', async () => {
    const gate = openGate();
    await Promise.all([gate.enter(never), gate.enter(never), gate.enter(never)]);
    expect(gate.trouble()).toBeNull();
  });

  test('after a failure one at a time, each after a longer wait, until one succeeds', async () => {
    const gate = openGate();
    await gate.enter(never);
    const began = systemClock.now();
    gate.failed('offline');
    expect(gate.trouble()).toBe('offline');
    let entered = 0;
    const tries = [1, 2, 3].map(() => gate.enter(never).then(() => ++entered));
    await vi.waitFor(() => expect(entered).toBe(1));
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(20);
    gate.failed('still offline');
    await vi.waitFor(() => expect(entered).toBe(2));
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(60);
    gate.succeeded();
    await Promise.all(tries);
    expect(gate.trouble()).toBeNull();
    gate.close();
  });

  test('many requests that fail together count as one failure', async () => {
    const gate = openGate();
    await Promise.all(Array.from({ length: 8 }, () => gate.enter(never)));
    const began = systemClock.now();
    for (let i = 0; i < 8; i++) gate.failed('offline');
    await gate.enter(never);
    expect(systemClock.now() - began).toBeLessThan(39);
    gate.close();
  });

  test('a try that learnt nothing makes room for the next', async () => {
    const gate = openGate();
    await gate.enter(never);
    gate.failed('offline');
    await gate.enter(never);
    gate.left();
    await gate.enter(never);
    expect(gate.trouble()).toBe('offline');
    gate.close();
  });

  test('a person who asks does not wait', async () => {
    const gate = createGate({ firstMs: 1e6, longestMs: 1e6 }, () => 1);
    await gate.enter(never);
    gate.failed('offline');
    const next = gate.enter(never);
    gate.hurry();
    await next;
    const stop = new AbortController();
    const waiting = gate.enter(stop.signal);
    stop.abort(new Error('closing'));
    await expect(waiting).rejects.toThrow('closing');
    gate.close();
  });
});

test('a bell that rings before the rest ends it at once', async () => {
  const bell = createBell();
  const began = systemClock.now();
  bell.ring();
  await bell.rest(10_000);
  const rest = bell.rest(10_000);
  bell.ring();
  await rest;
  expect(systemClock.now() - began).toBeLessThan(1000);
  await bell.rest(5);
});

describe('progress', () => {
  const start = () => {
    let now = 1e12;
    const progress = followProgress({ now: () => now });
    const pass = (ms: number) => {
      now += ms;
    };
    return { progress, pass };
  };

  test('files and bytes of the burst, speed of the last seconds, and the time that is left', () => {
    const { progress, pass } = start();
    progress.begin(1);
    expect(progress.report({ files: 3, bytes: 6000 })).toEqual({
      filesDone: 0,
      filesTotal: 3,
      bytesSent: 0,
      bytesTotal: 6000,
      bytesPerSecond: 0,
      secondsLeft: null,
    });
    pass(1000);
    progress.add(1, 1000, true);
    pass(1000);
    progress.add(1, 1000, true);
    expect(progress.bytesOf(1)).toBe(2000);
    progress.finish(1, 2000);
    progress.begin(2);
    progress.add(2, 400, true);
    expect(progress.report({ files: 2, bytes: 4000 })).toEqual({
      filesDone: 1,
      filesTotal: 3,
      bytesSent: 2400,
      bytesTotal: 6000,
      bytesPerSecond: 1200,
      secondsLeft: 3,
    });
  });

  test('what an earlier run had sent counts as sent but not as speed', () => {
    const { progress, pass } = start();
    progress.begin(1);
    progress.add(1, 5000, false);
    pass(2000);
    progress.add(1, 1000, true);
    expect(progress.report({ files: 1, bytes: 8000 })).toMatchObject({ bytesSent: 6000, bytesPerSecond: 500, secondsLeft: 4 });
  });

  test('speed follows the network: nothing sent for a while is no speed, and no promise', () => {
    const { progress, pass } = start();
    progress.begin(1);
    pass(1000);
    progress.add(1, 1_000_000, true);
    pass(20_000);
    expect(progress.report({ files: 1, bytes: 2_000_000 })).toMatchObject({ bytesPerSecond: 0, secondsLeft: null });
  });

  test('an interrupted file counts from the start; a new burst begins at zero', () => {
    const { progress, pass } = start();
    progress.begin(1);
    progress.add(1, 500, true);
    progress.interrupt(1);
    expect(progress.report({ files: 1, bytes: 1000 })).toMatchObject({ bytesSent: 0, bytesTotal: 1000 });
    progress.begin(1);
    progress.finish(1, 1000);
    progress.end();
    pass(3_600_000);
    progress.begin(2);
    pass(1000);
    progress.add(2, 100, true);
    expect(progress.report({ files: 1, bytes: 200 })).toEqual({
      filesDone: 0,
      filesTotal: 1,
      bytesSent: 100,
      bytesTotal: 200,
      bytesPerSecond: 100,
      secondsLeft: 1,
    });
  });
});
