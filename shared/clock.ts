/** Where time comes from. Only this file may read the system's clock, so that tests and the simulation can own time. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** `clock`'s time as ISO 8601 with milliseconds, UTC: sorts as text. */
export function isoTime(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
