import type {
  Action,
  AskedPolicy,
  Cost,
  Explanation,
  Question,
} from '../../features/explain/explanation.ts'
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
    ...explanation.questions.flatMap(question),
    ...reach(explanation),
    ...tried(explanation),
    ...(explanation.cost === null ? [] : cost(explanation.cost)),
  ].join('\n')
}

const who = ({ user }: Explanation): string => user.email ?? user.id

function answer(explanation: Explanation): string {
  const { verdict, action, row, table } = explanation
  const can = { yes: 'can', no: 'cannot', depends: 'can perhaps' }[verdict]
  if (row === null) {
    const some = verdict === 'depends' ? `${action === 'insert' ? '' : 'some '}rows` : 'any row'
    return `${who(explanation)} ${can} ${verbs[action]} ${some} of ${table}`
  }
  const key = Object.entries(row).map(([name, value]) => `${name} = ${value ?? 'null'}`)
  const which =
    action === 'insert' ? `this row (${key.join(', ')}) into` : `the row ${key.join(', ')} of`
  return `${who(explanation)} ${can} ${verbs[action]} ${which} ${table}`
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
      return `${role} lacks the grant, ${decision.missing}.\nIf that should be: ${decision.mend}`
    case 'row_security_off':
      return `${decision.reason.toUpperCase()}, so everybody who has the grant can, whatever the row`
    case 'no_policy':
      return `no policy lets ${role} ${decision.command} any row`
    case 'policies':
      if (verdict === 'depends') return `it depends on ${decision.names.join(', ')}`
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
  const row = asked?.of === 'the new row' ? 'the row as it would be' : 'this row'
  const said = policies.map(
    ({ name, expression, result }) =>
      `${name} asks ${tidyExpression(expression)}: ${result ?? 'null'}`,
  )
  const how = policies.every(({ is_restrictive }) => is_restrictive)
    ? `a restrictive policy keeps ${row} from being ${participles[asked?.command ?? 'select']}`
    : `no policy lets ${row} be ${participles[asked?.command ?? 'select']}`
  return `${how}.\n${said.join(';\n')}`
}

const participles: Record<Action, string> = {
  select: 'seen',
  insert: 'inserted',
  update: 'changed',
  delete: 'deleted',
}

function grants({ grants: needs, user }: Explanation): string[] {
  if (needs.length === 0) return []
  return [
    `\nGrants of ${user.database_role}`,
    ...needs.map(({ what, is_granted }) => `  ${is_granted ? 'yes' : 'NO '}  ${what}`),
  ]
}

function question({ command, part, of, policies }: Question): string[] {
  const permissive = policies.filter(({ is_restrictive }) => !is_restrictive)
  const restrictive = policies.filter(({ is_restrictive }) => is_restrictive)
  return [
    `\nMay ${of} be ${participles[command]}? (${command}, ${part})`,
    permissive.length === 0 ? '  no policy lets it' : '  one of these must be true:',
    ...permissive.map(policyLine),
    ...(restrictive.length === 0 ? [] : ['  and all of these:', ...restrictive.map(policyLine)]),
  ]
}

function policyLine({ name, expression, result, error, roles }: AskedPolicy): string {
  const answered = error === null ? String(result ?? 'null') : 'error'
  const wrong = error === null ? '' : `\n           ${error}`
  return `    ${answered.padEnd(5)}  ${name}, for ${roles.join(', ')}: ${tidyExpression(expression)}${wrong}`
}

function reach({ reach: found, action }: Explanation): string[] {
  if (found === null || found.rows === null) return []
  const rows = (count: number) => (count > found.most ? `more than ${found.most}` : String(count))
  const of = found.of === null ? '' : ` of ${rows(found.of)}`
  return [`\nRows that they ${verbs[action]}: ${rows(found.rows)}${of}.`]
}

function tried({ tried: outcome }: Explanation): string[] {
  if (outcome === null) return []
  const { error, rows, is_as_foretold } = outcome
  const came =
    error === null ? `${rows} ${rows === 1 ? 'row' : 'rows'}` : `${error.message} (${error.code})`
  const warning = is_as_foretold ? '' : '\nTHIS IS NOT WHAT THE GRANTS AND POLICIES SAY.'
  return [`\nTried as this user, and rolled back: ${came}.${warning}`]
}

function cost({ total_ms, planning_ms, pages, rows, rows_removed, ...policies }: Cost): string[] {
  const { policy_nodes, policies_ms, without_policies_ms } = policies
  const without =
    without_policies_ms === null ? '' : `; without policies ${milliseconds(without_policies_ms)}`
  return [
    `\nCost: ${milliseconds(total_ms)} (and ${milliseconds(planning_ms)} to plan)${without}; ${rows} rows, ${rows_removed} filtered away, ${pages} pages.`,
    ...(policy_nodes.length === 0
      ? []
      : [`Of it the policies' own plan nodes: ${milliseconds(policies_ms)}`]),
    ...policy_nodes.map(
      ({ name, node, ms, loops }) =>
        `  ${milliseconds(ms).padStart(9)}  ${name}: ${node}, ${loops} ${loops === 1 ? 'time' : 'times'}`,
    ),
  ]
}

const milliseconds = (ms: number): string => `${ms.toFixed(2)} ms`
