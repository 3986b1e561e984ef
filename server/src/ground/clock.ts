/** The time, as a thing that can be given: only tests replace it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** Whole seconds since 1970, as JWTs count them (RFC 7519 section 2, NumericDate). */
export const epochSeconds = (at: Date): number => Math.floor(at.getTime() / 1000)

export const minutes = (count: number): number => count * 60
export const days = (count: number): number => count * 86_400
