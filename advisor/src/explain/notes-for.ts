import type { Granted } from './check-grants.ts'
import type { Action, Question } from './explanation.ts'
import type { Table } from './find-table.ts'

/** What a reader would otherwise take wrongly. */
export function notesFor(
  table: Table,
  action: Action,
  granted: Granted,
  questions: readonly Question[],
  isOneRow: boolean,
): string[] {
  return [
    ...ofColumns(table, action, granted, isOneRow),
    ...ofParts(table),
    ...ofRules(table, action),
    ...ofTriggers(table, action),
    ...ofPolicies(questions),
  ]
}

function ofColumns(
  { name, columns }: Table,
  action: Action,
  { readable }: Granted,
  isOneRow: boolean,
): string[] {
  const hidden = columns.filter((column) => !readable.includes(column.name))
  if (hidden.length === 0) return []
  const list = hidden.map((column) => column.name).join(', ')
  if (readable.length > 0)
    return action === 'select'
      ? [
          `Only the columns that are granted can be named: \`select *\` is refused, because of ${list}.`,
        ]
      : [`\`returning *\` is refused, because ${list} may not be read.`]
  if (isOneRow || action === 'select' || action === 'insert') return []
  return [
    `No column of ${name} may be read, so a statement with a \`where\` is refused; this is about one without, which comes to all rows at once.`,
  ]
}

function ofParts({ name, parents, has_children, row_security }: Table): string[] {
  const notes: string[] = []
  if (parents.length > 0)
    notes.push(
      `${name} is a part of ${parents.join(', ')}. This is about asking for it by its own name, where its own policies and grants count; asked for through ${parents[0]}, those of ${parents[0]} do.`,
    )
  if (has_children && row_security)
    notes.push(
      `The rows of its partitions and children are asked about with the policies of ${name} alone. Whoever may ask for one of those by name is bound by that one's own.`,
    )
  return notes
}

const ofRules = ({ rules }: Table, action: Action): string[] =>
  rules
    .filter(({ event }) => event === action)
    .map(
      ({ name, is_instead }) =>
        `The rule ${name} makes something else of it${is_instead ? ', instead' : ', besides'}: how many rows Postgres says it came to need not be those of this table.`,
    )

const ofTriggers = ({ name, changed_by_trigger }: Table, action: Action): string[] =>
  changed_by_trigger.includes(action)
    ? [`A trigger of ${name} runs before each row, and may change it, leave it out or refuse it.`]
    : []

function ofPolicies(questions: readonly Question[]): string[] {
  const policies = questions.flatMap(({ policies: asked }) => asked)
  const bySession = policies.filter(({ expression }) => /\bsession_user\b/i.test(expression))
  const failing = policies.filter(({ error }) => error !== null)
  return [
    ...named(bySession).map(
      (name) => `The policy ${name} asks for session_user, who is the role that connects here.`,
    ),
    ...[
      ...new Set(
        failing.map(
          ({ name, error }) =>
            `By itself, the policy ${name} fails: ${error}. Postgres may ask it before or after the others, and need not ask it at all.`,
        ),
      ),
    ],
  ]
}

const named = (policies: readonly { name: string }[]): string[] => [
  ...new Set(policies.map(({ name }) => name)),
]
