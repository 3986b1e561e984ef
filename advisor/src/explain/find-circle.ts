import type pg from 'pg'
import type { Culprit } from './explanation.ts'

interface Step {
  from: number
  to: number
  /** Null for a view, which reads without a policy. */
  culprit: Culprit | null
}

/** The policies that Postgres goes round in, from a table: each reads the table of the next. */
export async function findCircle(
  client: pg.ClientBase,
  table: number,
  role: string,
): Promise<Culprit[]> {
  const { rows } = await client.query<{
    from: number
    to: number
    table: string
    policy: string | null
  }>(readSteps, [role])
  const steps: Step[] = rows.map(({ from, to, table: name, policy }) => ({
    from,
    to,
    culprit: policy === null ? null : { table: name, policy },
  }))
  const circle = walk(
    Map.groupBy(steps, ({ from }) => from),
    table,
  )
  return circle.flatMap(({ culprit }) => culprit ?? [])
}

/** The first circle that is come to, depth first. */
function walk(steps: Map<number, Step[]>, start: number): Step[] {
  const done = new Set<number>()
  const path: Step[] = []
  const visit = (node: number): Step[] | null => {
    for (const step of steps.get(node) ?? []) {
      const back = path.findIndex(({ from }) => from === step.to)
      if (step.to === node) return [step]
      if (back >= 0) return [...path.slice(back), step]
      if (done.has(step.to)) continue
      path.push(step)
      const circle = visit(step.to)
      if (circle !== null) return circle
      path.pop()
    }
    done.add(node)
    return null
  }
  return visit(start) ?? []
}

/** What the policies of a role read, and what views read: the tables in a tree are its range table's. */
const readSteps = `
  select polrelid as from, found[1]::oid as to, format('%I.%I', nspname, relname) as table, polname as policy
  from pg_policy join pg_class on pg_class.oid = polrelid join pg_namespace on pg_namespace.oid = relnamespace
  cross join lateral regexp_matches(concat(polqual::text, polwithcheck::text), ':relid ([1-9]\\d*)', 'g') as found
  where relrowsecurity and exists (
    select from unnest(polroles) as role (oid) where role.oid = 0 or pg_has_role($1::name, role.oid, 'usage')
  )
  union
  select ev_class, found[1]::oid, format('%I.%I', nspname, relname), null
  from pg_rewrite join pg_class on pg_class.oid = ev_class join pg_namespace on pg_namespace.oid = relnamespace
  cross join lateral regexp_matches(ev_action::text, ':relid ([1-9]\\d*)', 'g') as found
  where ev_type = '1' and nspname not in ('pg_catalog', 'information_schema') and found[1]::oid <> ev_class
  order by 1, 4, 2`
