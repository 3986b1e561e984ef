/** Schedules that broke the promise of the cache once, cut down: `promise.test.ts` plays them. */
import type { Schedule } from './schedule.ts'

const world = { isClockSet: false, hasShared: true }

export const brokenBefore: Record<string, Schedule> = {
  'a reading that began in the same instant as the horizon, with a change between': {
    ...world,
    nodes: 4,
    steps: [
      ['hold', 3, 0, 25],
      ['change', 0, 1, 21],
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
      ['change', 0, 0, 3],
      ['request', 3, 0, 13],
      ['advance', 3, 2, 59],
      ['request', 1, 0, 7],
      ['request', 0, 0, 14],
    ],
  },
  'a heartbeat that came back late, before a connection was lost': {
    ...world,
    nodes: 3,
    steps: [
      ['pass', 2, 1, 57],
      ['pass', 0, 1, 48],
      ['hold', 0, 2, 14],
      ['pass', 2, 0, 52],
      ['trickle', 0, 2, 22],
      ['pass', 1, 0, 0],
      ['pass', 0, 1, 22],
      ['trickle', 3, 0, 59],
      ['cut', 3, 2, 40],
    ],
  },
  'a machine that slept, while the database’s clock was set back by less than that': {
    hasShared: true,
    isClockSet: true,
    nodes: 1,
    steps: [
      ['setWall', 3, 2, 36],
      ['request', 3, 2, 33],
      ['advance', 0, 2, 45],
      ['advance', 3, 1, 18],
      ['pass', 3, 1, 33],
      ['changeUntold', 3, 2, 35],
      ['advance', 0, 0, 15],
      ['hold', 3, 1, 41],
      ['pass', 0, 0, 58],
      ['pause', 3, 1, 26],
      ['passLong', 2, 0, 55],
      ['setDatabaseClock', 0, 2, 19],
    ],
  },
}
