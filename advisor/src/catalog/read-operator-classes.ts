import type { OperatorClasses } from './catalog.ts'
import type { Reading } from './reading.ts'

/** Some thousand rows, of which most are Postgres' own. */
export async function readOperatorClasses({ ask }: Reading): Promise<OperatorClasses> {
  const rows = await ask<{
    what: 'member' | 'commutator' | 'class' | 'default' | 'partition'
    method: string | null
    one: number
    other: number
    strategy: number
    columns: number[] | null
  }>(`
    select 'member' as what, amname as method, amopopr::oid as one, amopfamily::oid as other, amopstrategy::int as strategy, null::int2[] as columns
    from pg_amop join pg_am on pg_am.oid = amopmethod where amoppurpose = 's'
    union all
    select 'commutator', null, oid, oprcom::oid, 0, null from pg_operator where oprcom <> 0
    union all
    select 'class', null, oid, opcfamily, 0, null from pg_opclass
    union all
    select 'default', amname, opcintype::oid, opcfamily::oid, 0, null
    from pg_opclass join pg_am on pg_am.oid = opcmethod where opcdefault
    union all
    select 'partition', null, partrelid::oid, 0, 0, partattrs::int2[] from pg_partitioned_table`)
  const families: Map<number, { family: number; method: string; strategy: number }[]> = new Map()
  const familyOf = new Map<number, number>()
  const commutators = new Map<number, number>()
  const defaults = new Map<string, Map<number, number>>()
  const partitionKeys = new Map<number, number[]>()
  for (const { what, method, one, other, strategy, columns } of rows) {
    if (what === 'partition') partitionKeys.set(one, columns ?? [])
    else if (what === 'class') familyOf.set(one, other)
    else if (method === null) commutators.set(one, other)
    else if (what === 'default') {
      const ofMethod = defaults.get(method) ?? new Map<number, number>()
      defaults.set(method, ofMethod.set(one, other))
    } else {
      const of = families.get(one) ?? []
      of.push({ family: other, method, strategy })
      families.set(one, of)
    }
  }
  return { families, familyOf, commutators, defaults, partitionKeys }
}
