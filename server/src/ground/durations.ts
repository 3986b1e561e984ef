/** How long something took, counted: what a histogram is made of. */
export interface Durations {
  observe(milliseconds: number): void
  read(): ReadDurations
}

export interface ReadDurations {
  count: number
  sumSeconds: number
  /** How many took at most so many seconds, the shortest first. */
  atMost: readonly (readonly [seconds: number, count: number])[]
}

/** From a look into memory to what a request waits for at most. */
const BOUNDS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const

export function createDurations(): Durations {
  const counts = new Array<number>(BOUNDS_SECONDS.length + 1).fill(0)
  let sumSeconds = 0
  return {
    observe: (milliseconds) => {
      const seconds = milliseconds / 1000
      sumSeconds += seconds
      let at = 0
      while (at < BOUNDS_SECONDS.length && seconds > (BOUNDS_SECONDS[at] as number)) at += 1
      counts[at] = (counts[at] as number) + 1
    },
    read: () => {
      let count = 0
      const atMost = BOUNDS_SECONDS.map((seconds, at) => {
        count += counts[at] as number
        return [seconds, count] as const
      })
      return { count: count + (counts.at(-1) as number), sumSeconds, atMost }
    },
  }
}
