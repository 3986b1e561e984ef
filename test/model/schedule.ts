/** What may happen, and how often: schedules that are drawn at random. */
import fc from 'fast-check'

/** What happens to nodes, and how often. What a step's `choice` means stands at `doStep`. */
const ofNodes = {
  request: 16,
  advance: 12,
  lose: 1,
  change: 4,
  changeElsewhere: 5,
  visit: 1,
  pass: 8,
  hold: 6,
  trickle: 12,
  cut: 1,
  pause: 2,
  setWall: 1,
  restart: 1,
  shared: 1,
} as const

/** And to what is around them. */
const ofTheRest = {
  suspend: 1,
  changeUntold: 2,
  passLong: 1,
  catchUp: 2,
  promote: 1,
  lead: 3,
  crash: 1,
  setDatabaseClock: 2,
} as const

export type Kind = keyof typeof ofNodes | keyof typeof ofTheRest

/** [what, which node, which session, how] */
export type Step = [kind: Kind, node: number, session: number, choice: number]

export interface Schedule {
  nodes: number
  hasShared: boolean
  /**
   * Whether the clock of the database is set. Otherwise a crash may make it count from an earlier transaction: it does
   * not both go back at once, or nothing could tell what was earlier.
   */
  isClockSet: boolean
  steps: Step[]
}

const stepOf = (kind: fc.Arbitrary<Kind>): fc.Arbitrary<Step> =>
  fc.tuple(kind, fc.nat(3), fc.constantFrom(0, 0, 1, 2), fc.nat(59))

const scheduleOf = (kind: fc.Arbitrary<Kind>): fc.Arbitrary<Schedule> =>
  fc.record({
    nodes: fc.integer({ min: 2, max: 4 }),
    hasShared: fc.boolean(),
    isClockSet: fc.boolean(),
    steps: fc.array(stepOf(kind), { minLength: 40, maxLength: 80, size: 'max' }),
  })

const drawnOf = (weights: Partial<Record<Kind, number>>): fc.Arbitrary<Schedule> =>
  scheduleOf(
    fc.oneof(
      ...Object.entries(weights).map(([kind, weight]) => ({
        weight,
        arbitrary: fc.constant(kind as Kind),
      })),
    ),
  )

/** Half of them leave that alone: what it takes to find some faults is rare enough. */
export const anySchedule: fc.Arbitrary<Schedule> = fc.oneof(
  drawnOf(ofNodes),
  drawnOf({ ...ofNodes, ...ofTheRest }),
)

/** Nothing is slow and nothing breaks. */
export const calmSchedule: fc.Arbitrary<Schedule> = scheduleOf(
  fc.constantFrom('request', 'request', 'request', 'pass', 'change', 'changeElsewhere'),
)
