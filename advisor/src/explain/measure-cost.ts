import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Cost } from './explanation.ts'
import type { Table } from './find-table.ts'
import type { RealStatement } from './statement-for.ts'

interface Plan {
  'Node Type': string
  'Subplan Name'?: string
  'Relation Name'?: string
  Output?: string[]
  'Actual Total Time': number
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Plan[]
}

interface Explained {
  Plan: Plan
  'Planning Time': number
  'Execution Time': number
}

/**
 * Runs a statement with `explain (analyze)` as the current role, and once more as the owner where no
 * policy binds the owner. Null when it fails. To be called when it has run before, so that what it reads
 * is in memory both times.
 *
 * @param role the current role
 */
export async function measureCost(
  client: pg.ClientBase,
  { binds_owner }: Table,
  statement: RealStatement,
  role: string,
): Promise<Cost | null> {
  const explained = await explain(client, statement)
  if (explained === null) return null
  const { Plan: plan } = explained
  const nodes = findSubplans(plan)
  return {
    total_ms: explained['Execution Time'],
    planning_ms: explained['Planning Time'],
    rows: plan['Actual Rows'],
    pages: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
    rows_removed: sumRemoved(plan),
    policy_nodes: nodes.map((node) => ({
      name: node['Subplan Name'] ?? '',
      node: describeNode(node),
      ms: timeOf(node),
      loops: node['Actual Loops'],
    })),
    policies_ms: nodes.reduce((sum, node) => sum + timeOf(node), 0),
    without_policies_ms: binds_owner ? null : await timeAsOwner(client, statement, role),
  }
}

/** `select app.current_user_id()`, or `Index Scan on shares` */
function describeNode(node: Plan): string {
  if (node['Node Type'] === 'Result' && node.Plans === undefined)
    return `select ${node.Output?.join(', ')}`
  return [node['Node Type'], node['Relation Name']].filter(Boolean).join(' on ')
}

const timeOf = (node: Plan): number =>
  Math.round(node['Actual Total Time'] * node['Actual Loops'] * 1000) / 1000

/** The statements that are measured have no subplans of their own. */
function findSubplans(plan: Plan): Plan[] {
  return (plan.Plans ?? []).flatMap((node) =>
    node['Subplan Name'] === undefined ? findSubplans(node) : [node],
  )
}

const sumRemoved = (plan: Plan): number =>
  (plan['Rows Removed by Filter'] ?? 0) * plan['Actual Loops'] +
  (plan.Plans ?? []).reduce((sum, node) => sum + sumRemoved(node), 0)

async function explain(
  client: pg.ClientBase,
  { text, values }: RealStatement,
): Promise<Explained | null> {
  const { found } = await attempt(client, () =>
    client.query(`explain (analyze, verbose, buffers, format json) ${text}`, values),
  )
  return found?.rows[0]['QUERY PLAN'][0] ?? null
}

async function timeAsOwner(
  client: pg.ClientBase,
  statement: RealStatement,
  role: string,
): Promise<number | null> {
  await client.query('set local role none')
  const explained = await explain(client, statement)
  await client.query(`select set_config('role', $1, true)`, [role])
  return explained?.['Execution Time'] ?? null
}
