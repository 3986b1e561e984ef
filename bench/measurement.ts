import { median } from './quantile.ts'

/** What is measured of the two sides in one round, right after one another. */
export interface Round<Side> {
  floor: Side
  pie: Side
}

/** One line of the table. */
export interface Measurement {
  scenario: string
  /** On which version of Postgres. */
  postgres?: number
  /** What the numbers are, with their unit. */
  unit: string
  /** Medians of the rounds. */
  pie: number
  /** Null where there is nothing to compare with. */
  floor: number | null
  /** The median of the rounds' own ratios: of numbers that were measured side by side. */
  ratio: number | null
  aim: string | null
  /** What was measured in each round. */
  rounds: unknown[]
}

type Description = Pick<Measurement, 'scenario' | 'unit' | 'aim'>

/** Measures the two sides in turn, so that a machine that becomes slower does so for both. */
export async function measureInTurn<Side>(
  rounds: number,
  measureFloor: () => Promise<Side>,
  measurePie: () => Promise<Side>,
): Promise<Round<Side>[]> {
  const measured: Round<Side>[] = []
  for (let round = 0; round < rounds; round += 1) {
    const floor = await measureFloor()
    const pie = await measurePie()
    measured.push({ floor, pie })
  }
  return measured
}

/** What Pie does beside its floor. */
export function compare<Side>(
  description: Description,
  rounds: Round<Side>[],
  numberOf: (side: Side) => number,
): Measurement {
  const pairs = rounds.map(({ floor, pie }) => ({ floor: numberOf(floor), pie: numberOf(pie) }))
  return {
    ...description,
    pie: median(pairs.map(({ pie }) => pie)),
    floor: median(pairs.map(({ floor }) => floor)),
    ratio: median(pairs.map(({ floor, pie }) => pie / floor)),
    rounds,
  }
}

/** What has no floor. */
export function report(description: Description, rounds: number[]): Measurement {
  return { ...description, pie: median(rounds), floor: null, ratio: null, rounds }
}
