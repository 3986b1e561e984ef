import type { Access, Rows } from '../../exposure/exposure.ts'
import { openPolicyOf } from '../exposure-in-words.ts'

/** How far an access goes, for a colour and a sign. */
export type ReachClass = 'all' | 'some' | 'no' | 'void'

/** Not by colour alone. */
export const signs: Record<ReachClass, string> = { all: '●', some: '◐', no: '○', void: '✕' }

export const reachOf = ({ allowed, rows }: Access): ReachClass =>
  allowed ? reachOfRows(rows) : 'void'

function reachOfRows(rows: Rows): ReachClass {
  switch (rows.kind) {
    case 'all':
      return 'all'
    case 'none':
      return 'no'
    case 'policies':
      return openPolicyOf(rows.policies) === null ? 'some' : 'all'
    case 'view':
      return widest(rows.reads.map((read) => reachOfRows(read.rows)))
    case 'rules':
      return widest([
        ...(rows.itself === null ? [] : [reachOfRows(rows.itself)]),
        ...rows.does.map((done) => reachOfRows(done.rows)),
      ])
  }
}

const widest = (reaches: readonly ReachClass[]): ReachClass =>
  (['all', 'some', 'no'] as const).find((reach) => reaches.includes(reach)) ?? 'no'
