import { median } from './quantile.ts'

/** One line of the table: what Pie does beside its floor. */
export interface Measurement {
  scenario: string
  /** What the two numbers are, with their unit. */
  unit: string
  /** Medians of the rounds. */
  pie: number
  floor: number | null
  /** The median of the rounds' ratios, each of two measurements that lie next to each other. */
  ratio: number | null
  aim: string | null
  rounds: Round[]
  /** What else was seen, by names that say what it is. Medians of the rounds. */
  details?: Record<string, number>
}

export interface Round {
  pie: number
  floor: number | null
}

export function summarize(
  what: Pick<Measurement, 'scenario' | 'unit' | 'aim' | 'details'>,
  rounds: Round[],
): Measurement {
  const compared = rounds.filter((round) => round.floor !== null) as Required<Round>[]
  const floors = compared.map(({ floor }) => Number(floor))
  return {
    ...what,
    pie: median(rounds.map(({ pie }) => pie)),
    floor: floors.length > 0 ? median(floors) : null,
    ratio:
      compared.length > 0 ? median(compared.map(({ pie, floor }) => pie / Number(floor))) : null,
    rounds,
  }
}
