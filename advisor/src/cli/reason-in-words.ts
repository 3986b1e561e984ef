import type { Explanation, PostgresDecision, Question } from '../explain/explanation.ts'
import { tidyExpression } from './tidy-expression.ts'

/** What decided, after the colon of the answer's first line. */
export function reasonInWords(explanation: Explanation): string {
  const { decided_by: decision, questions, user } = explanation
  const role = user.database_role ?? ''
  switch (decision.kind) {
    case 'disabled':
      return 'the user is disabled, and has no session'
    case 'no_row':
      return 'there is no such row'
    case 'no_rows':
      return `no row at all is in it to show what its policies say, ${list(decision.names)}`
    case 'no_row_given':
      return `its policies say of each, ${list(decision.names)}. No grant is missing; give the row, --row '{…}'`
    case 'grant':
      return `${role} lacks a grant, ${decision.missing}.\nIf that should be: ${decision.mend}`
    case 'row_security_off':
      return `${decision.reason}, so everybody who has the grant can, whatever the row`
    case 'no_policy':
      return `no policy lets ${role} ${decision.command} any row`
    case 'policies':
      return ofPolicies(explanation, decision.names)
    case 'view':
      return `it is a view, and reads ${list(decision.reads) || 'no table'} as ${decision.reads_as}, ${decision.binds ? 'whose policies are asked there' : 'WHOM NO POLICY BINDS there'}`
    case 'not_tried':
      return decision.reason
    case 'postgres':
      return ofPostgres(decision, questions, explanation.verdict === 'depends')
  }
}

const list = (names: readonly string[]): string => names.join(', ')

function ofPolicies({ verdict, questions, row, action }: Explanation, names: string[]): string {
  if (verdict === 'yes' && row === null && action === 'insert')
    return `${list(names)} ${names.length === 1 ? 'asks' : 'ask'} nothing of a row`
  if (verdict === 'depends') return `those that its policies let through, ${list(names)}`
  if (verdict === 'yes')
    return row === null
      ? `all that are there are let through by ${list(names)}`
      : `${list(names)} ${names.length === 1 ? 'lets' : 'let'} them`
  if (row === null) return `none is let through by ${list(names)}`
  return refusal(names, questions)
}

function ofPostgres(
  { said, code, policy, policies, context, mend }: PostgresDecision,
  questions: readonly Question[],
  isOfOthers: boolean,
): string {
  if (code === null) return `Postgres says so when it is tried: ${said}`
  const from =
    policies.length > 1
      ? `, from the policies ${policies.map(({ table, policy: name }) => `${name} on ${table}`).join(', ')}`
      : policy === null
        ? ''
        : `, from the policy ${policy}${onAnother(policies, questions)}`
  const where = context === null ? '' : `\n${context.split('\n').slice(0, 3).join('\n')}`
  return [
    `${isOfOthers ? 'Postgres refuses others' : 'Postgres fails'}${from}: ${said} (${code})${where}`,
    ...(mend === null ? [] : [`If that should be: ${mend}`]),
    ...hint(code, policy),
  ].join('.\n')
}

/** The table is said where it is not the one that was asked about. */
function onAnother(policies: PostgresDecision['policies'], questions: readonly Question[]): string {
  const [only] = policies
  const isOwn = questions.some(({ policies: asked }) =>
    asked.some(({ name }) => name === only?.policy),
  )
  return isOwn || only === undefined ? '' : ` on ${only.table}`
}

function hint(code: string, policy: string | null): string[] {
  if (code === '42704' && policy !== null)
    return [
      'Give it as your application does, with --setting, or let the policy do without: current_setting(name, true)',
    ]
  if (code === '57014') return ['It did not end in time; --timeout gives it longer']
  if (code === '42P17')
    return [
      'A policy that reads a table asks the policies of that table: let a security definer function read it',
    ]
  return []
}

function refusal(names: string[], questions: readonly Question[]): string {
  const asked = questions.find(({ passes }) => passes === false)
  const policies = asked?.policies.filter(({ name }) => names.includes(name)) ?? []
  const said = policies.map(
    ({ name, expression, result }) =>
      `${name} asks ${tidyExpression(expression)}: ${result ?? 'null'}`,
  )
  const subject = policies.some(({ is_restrictive }) => is_restrictive)
    ? 'a restrictive policy does not let'
    : 'no policy lets'
  return `${subject} ${asked === undefined ? 'it' : outcomes[titleOf(asked)]}.\n${said.join(';\n')}`
}

/** What is asked, and how the answer reads. */
const outcomes = {
  'May the row be seen?': 'this row be seen',
  'May the row be inserted?': 'this row be inserted',
  'May the row be changed?': 'this row be changed',
  'May the row be deleted?': 'this row be deleted',
  'May it become the new row?': 'it become the new row',
  'May the new row be seen?': 'it become a row that is not seen',
}

export function titleOf({ command, of }: Question): keyof typeof outcomes {
  if (command === 'insert') return 'May the row be inserted?'
  if (command === 'delete') return 'May the row be deleted?'
  if (of === 'the row')
    return command === 'select' ? 'May the row be seen?' : 'May the row be changed?'
  return command === 'select' ? 'May the new row be seen?' : 'May it become the new row?'
}
