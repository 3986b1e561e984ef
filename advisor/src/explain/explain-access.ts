import pg from 'pg'
import { rollBack } from '../database/roll-back.ts'
import { AdvisorError } from '../errors.ts'
import { answerForRow } from './answer-for-row.ts'
import { answerForTable } from './answer-for-table.ts'
import { checkGrants } from './check-grants.ts'
import type { Action, Explanation } from './explanation.ts'
import { findRow, foundBy, readKey } from './find-row.ts'
import { findTable } from './find-table.ts'
import { readValues } from './new-row.ts'
import { questionsFor } from './questions-for.ts'
import { readPolicies } from './read-policies.ts'
import { reasonToPass } from './reason-to-pass.ts'
import type { Target } from './statement-for.ts'
import { whoIsSignedIn } from './who-is-signed-in.ts'

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
  /** No statement may take longer: some are the application's own policies. 15 where it is left out. */
  timeoutSeconds?: number
}

const TIMEOUT_SECONDS = 15

/**
 * Says why somebody can or cannot do something, by being them for a transaction that is rolled back.
 * @throws AdvisorError for a subject, table, column or key that is not there
 */
export function explainAccess(
  owner: pg.Client,
  subject: Subject,
  asked: AccessQuestion,
): Promise<Explanation> {
  const explained = rollBack(owner, async () => {
    const { timeoutSeconds = TIMEOUT_SECONDS } = asked
    await owner.query(`set local statement_timeout = '${Math.round(timeoutSeconds * 1000)}ms'`)
    await checkWritable(owner, asked.action)
    const { is_disabled, ...user } = await subject.find(owner)
    const target = await findTarget(owner, asked)
    const unanswered: Explanation = {
      user: { ...user, database_role: null },
      table: target.table.name,
      kind: target.table.kind,
      action: asked.action,
      row: target.key ?? (asked.action === 'insert' ? (target.values?.members ?? null) : null),
      verdict: 'no',
      decided_by: { kind: 'disabled' },
      grants: [],
      questions: [],
      reach: null,
      tried: null,
      variants: [],
      cost: null,
      hints: [],
      notes: [],
    }
    if (is_disabled) return unanswered
    const database_role = await subject.become(owner)
    const known = { ...unanswered, user: { ...user, database_role } }
    return answer(owner, known, target, database_role)
  })
  return explained.catch(sayWhatIsInTheWay)
}

/** What says nothing about whoever is asked about. */
function sayWhatIsInTheWay(cause: unknown): never {
  if (!(cause instanceof pg.DatabaseError) || cause.code !== '55P03') throw cause
  throw new AdvisorError(
    `Somebody else holds a lock on what had to be tried, and it was not waited for: ${cause.message}. Try again.`,
    { cause },
  )
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
  const { table, key, values } = target
  const { action } = known
  const granted = await checkGrants(client, table, action, {
    written: values === null ? null : Object.keys(values.members),
    foundBy: key === null ? [] : foundBy(table, key),
  })
  const open = await reasonToPass(client, table, role)
  const isGranted = granted.needs.every(({ is_granted }) => is_granted)
  const isAsked = open === null && isGranted && (key === null || target.row !== null)
  const questions = isAsked ? questionsFor(action, await readPolicies(client, table)) : []
  const asked = { ...known, grants: granted.needs, questions }
  const found =
    known.row === null
      ? await answerForTable(client, asked, table, granted, open)
      : await answerForRow(client, asked, target, granted, open)
  // A user of Pie's has a session here, and is signed in.
  const isSignedIn = known.user.id !== null || found.verdict === 'yes'
  return { ...found, hints: isSignedIn ? [] : await whoIsSignedIn(client, found.questions) }
}

/** Where nobody can write, trying to says nothing of grants and policies. */
async function checkWritable(owner: pg.Client, action: Action): Promise<void> {
  if (action === 'select') return
  const { rows } = await owner.query<{ is_standby: boolean; is_read_only: boolean }>(
    `select pg_is_in_recovery() as is_standby, current_setting('transaction_read_only')::boolean as is_read_only`,
  )
  const [server] = rows
  if (server?.is_read_only !== true && server?.is_standby !== true) return
  throw new AdvisorError(
    server.is_standby
      ? `This server is a standby, which takes no ${action} from anybody. Ask the primary, where it can be tried.`
      : `This database is read-only (default_transaction_read_only), and takes no ${action}. Ask where it can be tried.`,
  )
}
