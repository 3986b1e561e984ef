import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Action } from './exposure.ts'

/** What Postgres says to an action on some columns. */
export interface Tried {
  allowed: boolean
  columns: string[]
  refused: { columns: string[]; reason: string }[]
}

type ColumnAction = Extract<Action, 'select' | 'insert' | 'update'>

const statements: Record<ColumnAction, (relation: string, columns: string[]) => string> = {
  select: (relation, columns) => `select ${columns.join(', ')} from ${relation}`,
  insert: (relation, columns) =>
    `insert into ${relation} (${columns.join(', ')}) overriding system value values (${columns.map(() => 'null').join(', ')})`,
  update: (relation, columns) =>
    `update ${relation} set ${columns.map((column) => `${column} = null`).join(', ')}`,
}

/**
 * Asks Postgres, as the current role, what of some granted columns it would really read or write. A grant
 * is not all: what a view or a policy reads, and the functions that they call, must be granted too.
 * `explain` checks all of that and runs nothing.
 */
export async function tryColumns(
  client: pg.ClientBase,
  relation: string,
  action: ColumnAction,
  columns: readonly string[],
): Promise<Tried> {
  const ask = (some: readonly string[]) =>
    explain(client, statements[action](relation, some.map(pg.escapeIdentifier)))
  if (columns.length === 0) return { allowed: false, columns: [], refused: [] }
  if ((await ask(columns)) === null) return { allowed: true, columns: [...columns], refused: [] }
  const possible: string[] = []
  const refused = new Map<string, string[]>()
  for (const column of columns) {
    const reason = await ask([column])
    if (reason === null) possible.push(column)
    else refused.set(reason, [...(refused.get(reason) ?? []), column])
  }
  return {
    allowed: possible.length > 0,
    columns: possible,
    refused: [...refused].map(([reason, of]) => ({ columns: of, reason })),
  }
}

/** The same of deleting, which knows no columns. */
export async function tryDelete(client: pg.ClientBase, relation: string): Promise<Tried> {
  const reason = await explain(client, `delete from ${relation}`)
  if (reason === null) return { allowed: true, columns: [], refused: [] }
  return { allowed: false, columns: [], refused: [{ columns: [], reason }] }
}

/** Null, or why Postgres refuses. */
async function explain(client: pg.ClientBase, statement: string): Promise<string | null> {
  const { error } = await attempt(client, () => client.query(`explain (costs off) ${statement}`))
  return error?.message ?? null
}
