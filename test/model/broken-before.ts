/** Schedules that broke the promise of the cache once, each the shortest of its kind: `promise.test.ts` plays them. */
import type { Schedule } from './schedule.ts'

const world = { isClockSet: false, hasShared: true }

export const brokenBefore: Record<string, Schedule> = {
  'a reading that began in the same instant as the horizon, with a change between': {
    ...world,
    nodes: 4,
    steps: [
      ['hold', 3, 0, 25],
      ['change', 0, 1, 19],
      ['request', 3, 0, 5],
      ['pass', 1, 2, 22],
      ['pass', 3, 2, 2],
      ['pass', 3, 1, 1],
      ['pass', 3, 0, 1],
      ['request', 0, 0, 48],
    ],
  },
  'the same, of two nodes': {
    ...world,
    nodes: 2,
    steps: [
      ['hold', 3, 2, 0],
      ['pass', 3, 1, 53],
      ['pass', 1, 0, 17],
      ['change', 0, 0, 1],
      ['request', 3, 0, 13],
      ['advance', 3, 2, 59],
      ['request', 1, 0, 7],
      ['request', 0, 0, 14],
    ],
  },
}
