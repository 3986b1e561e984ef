import type pg from 'pg'
import type { Culprit } from './explanation.ts'

interface Step {
  from: number
  to: number
  /** Whether it is come to whenever the table is read. */
  is_reading: boolean
  /** Null for a view, which reads without a policy. */
  culprit: Culprit | null
}

/** The policies that Postgres goes round in, from a table: each reads the table of the next. */
export async function findCircle(
  client: pg.ClientBase,
  table: number,
  role: string,
): Promise<Culprit[]> {
  const { rows } = await client.query<
    Omit<Step, 'culprit'> & { table: string; policy: string | null }
  >(readSteps, [role])
  const steps: Step[] = rows.map(({ table: name, policy, ...step }) => ({
    ...step,
    culprit: policy === null ? null : { table: name, policy },
  }))
  const reading = Map.groupBy(
    steps.filter(({ is_reading }) => is_reading),
    ({ from }) => from,
  )
  const written = steps.filter(({ from, is_reading }) => from === table && !is_reading)
  for (const start of [table, ...written.map(({ to }) => to)]) {
    const circle = walk(reading, start)
    if (circle.length > 0) return circle.flatMap(({ culprit }) => culprit ?? [])
  }
  // Read from a policy for writing, the table has its policies for reading asked, within those of its own.
  for (const first of written) {
    const back = first.to === table ? [] : wayBack(reading, first.to, table)
    if (back !== null) return [first, ...back].flatMap(({ culprit }) => culprit ?? [])
  }
  return []
}

/** How one table leads to another; null where it does not. */
function wayBack(steps: Map<number, Step[]>, from: number, to: number): Step[] | null {
  const ways = new Map<number, Step[]>([[from, []]])
  for (const [node, way] of ways)
    for (const step of steps.get(node) ?? []) {
      if (step.to === to) return [...way, step]
      if (!ways.has(step.to)) ways.set(step.to, [...way, step])
    }
  return null
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
  select polrelid as from, found[1]::oid as to, is_reading, format('%I.%I', nspname, relname) as table, polname as policy
  from pg_policy join pg_class on pg_class.oid = polrelid join pg_namespace on pg_namespace.oid = relnamespace
  cross join lateral (
    values (polqual::text, polcmd in ('r', '*')), (polwithcheck::text, false)
  ) as expression (tree, is_reading)
  cross join lateral regexp_matches(tree, ':relid ([1-9]\\d*)', 'g') as found
  where relrowsecurity and exists (
    select from unnest(polroles) as role (oid) where role.oid = 0 or pg_has_role($1::name, role.oid, 'usage')
  )
  union
  select ev_class, found[1]::oid, true, format('%I.%I', nspname, relname), null
  from pg_rewrite join pg_class on pg_class.oid = ev_class join pg_namespace on pg_namespace.oid = relnamespace
  cross join lateral regexp_matches(ev_action::text, ':relid ([1-9]\\d*)', 'g') as found
  -- An owner's view of the owner's table asks no policies.
  where ev_type = '1' and (reloptions::text ~* 'security_invoker' or relowner <> (
    select read.relowner from pg_class as read where read.oid = found[1]::oid
  )) and nspname not in ('pg_catalog', 'information_schema') and found[1]::oid <> ev_class
  order by 1, 5, 2`
