import type pg from 'pg'
import { askPolicies } from './ask-policies.ts'
import type { Granted } from './check-grants.ts'
import type { Action, Decision, Explanation, Question } from './explanation.ts'
import { findCulprits } from './find-culprits.ts'
import { type Judgement, judge } from './judge.ts'
import { measureCost } from './measure-cost.ts'
import { changedRow, insertedRow } from './new-row.ts'
import { notesFor } from './notes-for.ts'
import { reconcile } from './reconcile.ts'
import { statementFor, type Target } from './statement-for.ts'
import { tryStatement } from './try-statement.ts'
import { tryVariants } from './try-variants.ts'

/** One row: what each policy says of it, what came of doing it, and which of them decided. */
export async function answerForRow(
  client: pg.Client,
  known: Explanation,
  target: Target,
  granted: Granted,
  open: Decision | null,
): Promise<Explanation> {
  const { table } = target
  const { action } = known
  const role = known.user.database_role ?? ''
  const questions = await askAll(client, target, action, known.questions, role)
  const unknown = questions.length === 0 ? null : uncertainty(action, target, questions)
  const judged = foretell(target, granted, questions, open, unknown !== null)
  const statement = statementFor(action, target, granted)
  const { outcome, tried } = await tryStatement(client, statement, judged)
  const answer = reconcile(judged, outcome)
  const { decided_by } = answer
  const isDone = answer.verdict === 'yes'
  return {
    ...known,
    questions,
    verdict: answer.verdict,
    decided_by:
      decided_by.kind === 'postgres'
        ? await findCulprits(client, table, questions, decided_by, role)
        : decided_by,
    tried,
    variants: isDone ? await tryVariants(client, action, target, granted, statement) : [],
    cost: tried.error === null ? await measureCost(client, table, statement, role) : null,
    notes: [
      ...(unknown === null ? [] : [`${unknown}, was not known when the policies were asked.`]),
      ...(isGranted(granted) ? notesFor(table, action, granted, questions, true) : []),
    ],
  }
}

const isGranted = ({ needs }: Granted): boolean => needs.every(({ is_granted }) => is_granted)

/** What grants and policies would have it be. */
function foretell(
  { key, row }: Target,
  { needs }: Granted,
  questions: readonly Question[],
  open: Decision | null,
  isUncertain: boolean,
): Judgement {
  const missing = needs.find(({ is_granted }) => !is_granted)
  if (missing !== undefined)
    return {
      verdict: false,
      decided_by: { kind: 'grant', missing: missing.what, mend: missing.mend },
    }
  if (key !== null && row === null) return { verdict: false, decided_by: { kind: 'no_row' } }
  if (open !== null) return { verdict: open.kind === 'view' ? null : true, decided_by: open }
  const judged = judge(questions)
  const failed = questions.find(({ passes }) => passes === false)
  return failed?.of === 'the new row' && isUncertain
    ? { ...judged, verdict: null, is_likely: true }
    : judged
}

/** What a trigger or a sequence still changes of a new row, no policy has been asked about. */
function uncertainty(
  action: Action,
  { table, values }: Target,
  questions: readonly Question[],
): string | null {
  if (table.changed_by_trigger.includes(action)) return 'What a trigger makes of the row'
  const given = values?.literals ?? {}
  const asked = questions
    .flatMap(({ policies }) => policies.map(({ expression }) => expression))
    .join('\n')
  // Its name, or that of the whole row.
  const isAsked = (column: string) =>
    [column, table.relation].some((name) => asked.includes(name) && isNamed(asked, name))
  const takesNumber =
    action === 'insert' &&
    table.columns.some(
      ({ takes_number, name }) => takes_number && !(name in given) && isAsked(name),
    )
  return takesNumber ? 'What the row takes from a default, a number of a sequence' : null
}

/** A column, or a whole row, which is not followed by one of its columns. */
const isNamed = (expression: string, name: string): boolean =>
  new RegExp(`(?<![\\w$])${name.replaceAll(/[^\w]/g, '\\$&')}(?![\\w$]|"?\\.(?!\\*))`).test(
    expression,
  )

async function askAll(
  client: pg.Client,
  { table, row, values }: Target,
  action: Action,
  questions: readonly Question[],
  role: string,
): Promise<Question[]> {
  const written = async () => {
    if (action === 'insert') return insertedRow(client, table, values?.literals ?? {})
    return values === null || row === null ? row : changedRow(client, table, row, values)
  }
  const rows = {
    'the row': row,
    'the new row': action === 'select' || questions.length === 0 ? null : await written(),
  }
  const answered: Question[] = []
  for (const question of questions) {
    const asked = rows[question.of]
    answered.push(
      asked === null ? question : await askPolicies(client, table, question, asked, role),
    )
  }
  return answered
}
