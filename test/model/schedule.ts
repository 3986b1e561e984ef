/** What may happen, and how often: schedules that are drawn at random. */
import fc from 'fast-check'

/** How often each thing happens. What a step's `choice` means stands at `doStep`. */
const kinds = {
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

type Kind = keyof typeof kinds

/** [what, which node, which session, how] */
export type Step = [kind: Kind, node: number, session: number, choice: number]

export interface Schedule {
  nodes: number
  hasShared: boolean
  steps: Step[]
}

const stepOf = (kind: fc.Arbitrary<Kind>): fc.Arbitrary<Step> =>
  fc.tuple(kind, fc.nat(3), fc.constantFrom(0, 0, 1, 2), fc.nat(59))

const scheduleOf = (kind: fc.Arbitrary<Kind>): fc.Arbitrary<Schedule> =>
  fc.record({
    nodes: fc.integer({ min: 2, max: 4 }),
    hasShared: fc.boolean(),
    steps: fc.array(stepOf(kind), { minLength: 40, maxLength: 80, size: 'max' }),
  })

export const anySchedule: fc.Arbitrary<Schedule> = scheduleOf(
  fc.oneof(
    ...Object.entries(kinds).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as Kind),
    })),
  ),
)

/** Nothing is slow and nothing breaks. */
export const calmSchedule: fc.Arbitrary<Schedule> = scheduleOf(
  fc.constantFrom('request', 'request', 'request', 'pass', 'change', 'changeElsewhere'),
)
