import type { Action, AskedPolicy, Explanation, Question, Reach } from '../explain/explanation.ts'
import { costInWords } from './cost-in-words.ts'
import { reasonInWords, titleOf } from './reason-in-words.ts'
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
    `${answer(explanation)}: ${reasonInWords(explanation)}.`,
    ...explanation.hints,
    ...returned(explanation),
    ...grants(explanation),
    ...explanation.questions.flatMap((asked) => question(asked, explanation.row !== null)),
    ...reach(explanation),
    ...tried(explanation),
    ...(explanation.notes.length === 0 ? [] : ['']),
    ...explanation.notes.map((note) => `Note: ${note}`),
    ...(explanation.cost === null ? [] : costInWords(explanation.cost, explanation.row === null)),
  ].join('\n')
}

const who = ({ user }: Explanation): string => user.email ?? user.id ?? user.database_role ?? ''

function answer(explanation: Explanation): string {
  const { verdict, action, row, table } = explanation
  const can = verdict === 'no' ? 'cannot' : 'can'
  if (row === null) return answerForTable(explanation)
  const values = Object.entries(row).map(([name, value]) => `${name} = ${value ?? 'null'}`)
  if (action === 'insert') return `${who(explanation)} ${can} insert this row into ${table}`
  return `${who(explanation)} ${can} ${verbs[action]} the row ${values.join(', ')} of ${table}`
}

function answerForTable(explanation: Explanation): string {
  const { verdict, action, table, reach: found } = explanation
  const name = who(explanation)
  const verb = verbs[action]
  if (action === 'insert') {
    if (verdict === 'unknown')
      return `Whether ${name} can insert a row into ${table} is not known without the row`
    return `${name} ${verdict === 'no' ? 'cannot insert any row' : 'can insert rows'} into ${table}`
  }
  switch (verdict) {
    case 'unknown':
      return `Whether ${name} can ${verb} rows of ${table} is not known`
    case 'no':
      if (explanation.decided_by.kind === 'postgres' && explanation.decided_by.one_by_one?.done)
        return `${name} cannot ${verb} the rows of ${table} all at once, though some of them one by one`
      return `${name} cannot ${verb} any row of ${table}`
    case 'yes':
      return `${name} can ${verb} every row of ${table}${found?.of === 0 ? ', of which there are none now' : ''}`
    case 'depends':
      return `${name} can ${verb} ${found !== null && found.rows !== null && found.rows > found.most ? 'rows' : 'some rows'} of ${table}`
  }
}

/** What goes through as it is may fail as it is sent. */
function returned({ variants }: Explanation): string[] {
  return variants.flatMap(({ form, error }) =>
    form !== 'returning' || error === null
      ? []
      : [
          `But with \`returning\`, as many API servers and libraries send it, it fails: ${error.message} (${error.code}).`,
        ],
  )
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
  { name, expression, result, error, code, roles }: AskedPolicy,
  isOneRow: boolean,
): string {
  const rule = `${name}, for ${roles.join(', ')}: ${tidyExpression(expression)}`
  if (!isOneRow) return `    ${rule}`
  const isUnasked = code === undefined
  const answered = error !== null ? 'error' : isUnasked ? '-' : String(result)
  const wrong = error === null ? '' : `\n           ${error}`
  return `    ${answered.padEnd(5)}  ${rule}${wrong}`
}

function reach({ reach: found, action }: Explanation): string[] {
  if (found === null || found.rows === null) return []
  const rows = (count: number) => (count > found.most ? `more than ${found.most}` : String(count))
  return [`\nRows that they can ${verbs[action]}: ${rows(found.rows)}${ofHowMany(found, rows)}.`]
}

function ofHowMany({ of, most, is_bounded }: Reach, rows: (count: number) => string): string {
  if (is_bounded) return ` of the first ${most} that they see; on more it was not tried`
  return of === null ? '; of how many, the role that connects is not let see' : ` of ${rows(of)}`
}

function tried({ tried: outcome, variants: sent }: Explanation): string[] {
  if (outcome === null) return []
  const { error, rows, is_as_foretold, statement } = outcome
  const warning = is_as_foretold ? '' : '\nTHIS IS NOT WHAT THE GRANTS AND POLICIES SAY.'
  return [
    `\nTried as this user, and rolled back: ${came(rows, error)}.${warning}`,
    `  ${statement}`,
    ...sent.map(({ form, ...with_ }) => `  … ${form}: ${came(with_.rows, with_.error)}`),
  ]
}

function came(rows: number | null, error: { message: string; code: string } | null): string {
  if (error !== null) return `${error.message} (${error.code})`
  return rows === null ? 'Postgres plans it' : `${rows} ${rows === 1 ? 'row' : 'rows'}`
}
