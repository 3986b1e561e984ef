import type pg from 'pg'
import { rollBack } from '../database/roll-back.ts'
import { answerForTable } from './answer-for-table.ts'
import { askPolicies } from './ask-policies.ts'
import { checkGrants } from './check-grants.ts'
import type { Action, Decision, Explanation, Question } from './explanation.ts'
import { findRow, readKey } from './find-row.ts'
import { findTable } from './find-table.ts'
import { type Judgement, judge } from './judge.ts'
import { measureCost } from './measure-cost.ts'
import { changedRow, insertedRow, readValues } from './new-row.ts'
import { questionsFor } from './questions-for.ts'
import { readPolicies } from './read-policies.ts'
import { statementFor, type Target } from './statement-for.ts'
import { reconcile, tryStatement } from './try-statement.ts'

/** Whoever is asked about. */
export interface Subject {
  /**
   * Looks them up, as the owner.
   * @throws AdvisorError when there is nobody of that name
   */
  find(
    owner: pg.ClientBase,
  ): Promise<{ id: string | null; email: string | null; is_disabled: boolean }>
  /** Makes the rest of the transaction act as them. Returns the database role. */
  become(owner: pg.ClientBase): Promise<string>
}

export interface AccessQuestion {
  table: string
  action: Action
  /** The row's key; for an insert the new row as JSON; null for the whole table. */
  row: string | null
  /** What an update sets, as JSON. */
  set: string | null
}

/** No statement here may take longer: some are the application's own policies. */
const STATEMENT_TIMEOUT = '15s'

/**
 * Says why somebody can or cannot do something, by being them for a transaction that is rolled back.
 * @throws AdvisorError for a subject, table, column or key that is not there
 */
export function explainAccess(
  owner: pg.Client,
  subject: Subject,
  asked: AccessQuestion,
): Promise<Explanation> {
  return rollBack(owner, async () => {
    await owner.query(`set local statement_timeout = '${STATEMENT_TIMEOUT}'`)
    const { is_disabled, ...user } = await subject.find(owner)
    const target = await findTarget(owner, asked)
    const unanswered: Explanation = {
      user: { ...user, database_role: null },
      table: target.table.name,
      action: asked.action,
      row: target.key ?? (asked.action === 'insert' ? (target.values?.members ?? null) : null),
      verdict: 'no',
      decided_by: { kind: 'disabled' },
      grants: [],
      questions: [],
      reach: null,
      tried: null,
      cost: null,
    }
    if (is_disabled) return unanswered
    const database_role = await subject.become(owner)
    const known = { ...unanswered, user: { ...user, database_role } }
    return answer(owner, known, target, database_role)
  })
}

async function findTarget(owner: pg.Client, asked: AccessQuestion): Promise<Target> {
  const { action, row: given, set } = asked
  const table = await findTable(owner, asked.table)
  const key = given === null || action === 'insert' ? null : await readKey(owner, table, given)
  const json = action === 'insert' ? given : set
  const option = action === 'insert' ? '--row' : '--set'
  return {
    table,
    key,
    values: json === null ? null : await readValues(owner, table, option, json),
    row: key === null ? null : await findRow(owner, table, key),
  }
}

async function answer(
  client: pg.Client,
  known: Explanation,
  target: Target,
  role: string,
): Promise<Explanation> {
  const { table, key, values, row } = target
  const { action } = known
  const isOneRow = known.row !== null
  const granted = await checkGrants(client, table, action, {
    written: values === null ? null : Object.keys(values.members),
    isFoundByKey: key !== null,
  })
  const withGrants = { ...known, grants: granted.needs }
  const missing = granted.needs.find(({ is_granted }) => !is_granted)
  if (missing !== undefined)
    return {
      ...withGrants,
      decided_by: { kind: 'grant', missing: missing.what, mend: missing.mend },
    }
  if (key !== null && row === null) return { ...withGrants, decided_by: { kind: 'no_row' } }

  const open = await reasonToPass(client, target, role)
  const unasked = open === null ? questionsFor(action, await readPolicies(client, table)) : []
  if (!isOneRow)
    return answerForTable(client, { ...withGrants, questions: unasked }, table, granted, open)
  const questions = await askAll(client, target, action, unasked)
  const judged: Judgement = open === null ? judge(questions) : { verdict: true, decided_by: open }
  const statement = statementFor(action, target, granted)
  const tried = await tryStatement(client, statement, judged)
  return {
    ...withGrants,
    questions,
    ...reconcile(judged, tried),
    tried,
    cost: tried.error === null ? await measureCost(client, table, statement, role) : null,
  }
}

async function reasonToPass(
  client: pg.Client,
  { table }: Target,
  role: string,
): Promise<Decision | null> {
  const { rows } = await client.query<{ is_active: boolean }>(
    'select row_security_active($1::oid) as is_active',
    [table.oid],
  )
  if (rows[0]?.is_active === true) return null
  const reason = table.row_security
    ? `${role} IS PAST ROW-LEVEL SECURITY on ${table.name}`
    : `ROW-LEVEL SECURITY IS OFF on ${table.name}`
  return { kind: 'row_security_off', reason }
}

async function askAll(
  client: pg.Client,
  { table, row, values }: Target,
  action: Action,
  questions: readonly Question[],
): Promise<Question[]> {
  const written = async () => {
    if (values === null) return row ?? ''
    return row === null
      ? insertedRow(client, table, values)
      : changedRow(client, table, row, values)
  }
  const rows = { 'the row': row ?? '', 'the new row': action === 'select' ? '' : await written() }
  const answered: Question[] = []
  for (const question of questions)
    answered.push(await askPolicies(client, table, question, rows[question.of]))
  return answered
}
