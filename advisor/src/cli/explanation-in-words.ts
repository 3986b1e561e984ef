import type { Action, AskedPolicy, Explanation, Question } from '../explain/explanation.ts'
import { costInWords } from './cost-in-words.ts'
import { tidyExpression } from './tidy-expression.ts'

const verbs: Record<Action, string> = {
  select: 'see',
  insert: 'insert',
  update: 'change',
  delete: 'delete',
}

/** An explanation as an answer in plain words: what, why, and what it was found by. */
export function explanationInWords(explanation: Explanation): string {
  return [
    `${answer(explanation)}: ${reason(explanation)}.`,
    ...grants(explanation),
    ...explanation.questions.flatMap((asked) => question(asked, explanation.row !== null)),
    ...reach(explanation),
    ...tried(explanation),
    ...(explanation.cost === null ? [] : costInWords(explanation.cost, explanation.row === null)),
  ].join('\n')
}

const who = ({ user }: Explanation): string => user.email ?? user.id ?? user.database_role ?? ''

function answer(explanation: Explanation): string {
  const { verdict, action, row, table } = explanation
  const can = verdict === 'no' ? 'cannot' : 'can'
  if (row === null) {
    const which = { yes: 'every row', no: 'any row', depends: 'some rows' }[verdict]
    return `${who(explanation)} ${can} ${verbs[action]} ${which} of ${table}`
  }
  const values = Object.entries(row).map(([name, value]) => `${name} = ${value ?? 'null'}`)
  if (action === 'insert') return `${who(explanation)} ${can} insert this row into ${table}`
  return `${who(explanation)} ${can} ${verbs[action]} the row ${values.join(', ')} of ${table}`
}

function reason(explanation: Explanation): string {
  const { decided_by: decision, verdict, user, questions } = explanation
  const role = user.database_role ?? ''
  switch (decision.kind) {
    case 'disabled':
      return 'the user is disabled, and has no session'
    case 'no_row':
      return 'there is no such row'
    case 'grant':
      return `${role} lacks a grant, ${decision.missing}.\nIf that should be: ${decision.mend}`
    case 'row_security_off':
      return `${decision.reason}, so everybody who has the grant can, whatever the row`
    case 'no_policy':
      return `no policy lets ${role} ${decision.command} any row`
    case 'policies':
      if (verdict === 'depends')
        return `those that its policies let through, ${decision.names.join(', ')}`
      if (verdict === 'yes')
        return `${decision.names.join(', ')} ${decision.names.length === 1 ? 'lets' : 'let'} them`
      return refusal(decision.names, questions)
    case 'postgres':
      return `Postgres says so when it is tried: ${decision.said}`
  }
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

function titleOf({ command, of }: Question): keyof typeof outcomes {
  if (command === 'insert') return 'May the row be inserted?'
  if (command === 'delete') return 'May the row be deleted?'
  if (of === 'the row')
    return command === 'select' ? 'May the row be seen?' : 'May the row be changed?'
  return command === 'select' ? 'May the new row be seen?' : 'May it become the new row?'
}

function grants({ grants: needs, user }: Explanation): string[] {
  if (needs.length === 0) return []
  return [
    `\nGrants of ${user.database_role}`,
    ...needs.map(({ what, is_granted }) => `  ${is_granted ? 'yes' : 'NO '}  ${what}`),
  ]
}

function question(asked: Question, isOneRow: boolean): string[] {
  const line = (policy: AskedPolicy) => policyLine(policy, isOneRow)
  const permissive = asked.policies.filter(({ is_restrictive }) => !is_restrictive)
  const restrictive = asked.policies.filter(({ is_restrictive }) => is_restrictive)
  return [
    `\n${titleOf(asked)} (${asked.command}, ${asked.part})`,
    permissive.length === 0 ? '  no policy lets it' : '  one of these must be true:',
    ...permissive.map(line),
    ...(restrictive.length === 0 ? [] : ['  and all of these:', ...restrictive.map(line)]),
  ]
}

function policyLine(
  { name, expression, result, error, roles }: AskedPolicy,
  isOneRow: boolean,
): string {
  const rule = `${name}, for ${roles.join(', ')}: ${tidyExpression(expression)}`
  if (!isOneRow) return `    ${rule}`
  const answered = error === null ? String(result) : 'error'
  const wrong = error === null ? '' : `\n           ${error}`
  return `    ${answered.padEnd(5)}  ${rule}${wrong}`
}

function reach({ reach: found, action }: Explanation): string[] {
  if (found === null || found.rows === null) return []
  const rows = (count: number) => (count > found.most ? `more than ${found.most}` : String(count))
  const of = found.of === null ? '' : ` of ${rows(found.of)}`
  return [`\nRows that they can ${verbs[action]}: ${rows(found.rows)}${of}.`]
}

function tried({ tried: outcome }: Explanation): string[] {
  if (outcome === null) return []
  const { error, rows, is_as_foretold } = outcome
  const came =
    error === null ? `${rows} ${rows === 1 ? 'row' : 'rows'}` : `${error.message} (${error.code})`
  const warning = is_as_foretold ? '' : '\nTHIS IS NOT WHAT THE GRANTS AND POLICIES SAY.'
  return [`\nTried as this user, and rolled back: ${came}.${warning}`]
}
