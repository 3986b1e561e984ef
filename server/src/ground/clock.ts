/** The time, as a thing that can be given: only tests replace it. */
export interface Clock {
  now(): Date
  instant(): Instant
  /** Milliseconds since then: of the two clocks, whichever says more. */
  since(instant: Instant): number
}

/**
 * A moment, by a clock that is never set but may stand still while the machine sleeps, and by one that
 * goes on then but may be set.
 */
export interface Instant {
  monotonicMs: number
  wallMs: number
}

/** @param now what time it is */
export function createClock(now: () => Date): Clock {
  return {
    now,
    instant: () => ({ monotonicMs: performance.now(), wallMs: now().getTime() }),
    since: ({ monotonicMs, wallMs }) =>
      Math.max(performance.now() - monotonicMs, Math.abs(now().getTime() - wallMs)),
  }
}

export const systemClock: Clock = createClock(() => new Date())

/** Whole seconds since 1970, as JWTs count them (RFC 7519 section 2, NumericDate). */
export const epochSeconds = (at: Date): number => Math.floor(at.getTime() / 1000)

export const minutes = (count: number): number => count * 60
export const hours = (count: number): number => count * 3_600
export const days = (count: number): number => count * 86_400
