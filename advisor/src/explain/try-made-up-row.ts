import type pg from 'pg'
import { evaluatePolicy } from './evaluate-policy.ts'
import type { Action, Question } from './explanation.ts'
import { rowOfNulls } from './find-culprits.ts'
import type { Table } from './find-table.ts'
import { insertedRow } from './new-row.ts'

/**
 * Where no row is there, or none was given, the policies are asked about one that is made up: of nulls, and
 * for an insert of defaults. What fails then is worth a word, and is no verdict.
 */
export async function tryMadeUpRow(
  client: pg.ClientBase,
  table: Table,
  action: Action,
  questions: readonly Question[],
  role: string,
): Promise<string[]> {
  const isInsert = action === 'insert'
  const row = (isInsert ? await insertedRow(client, table, {}) : null) ?? rowOfNulls(table)
  const notes = new Set<string>()
  for (const { policies } of questions)
    for (const { name, expression } of policies) {
      const { error } = await evaluatePolicy(client, table, expression, [row], role)
      if (error !== null)
        notes.add(
          `The policy ${name} fails on a row of ${isInsert ? 'defaults and ' : ''}nulls: ${error}.`,
        )
    }
  return [...notes]
}
