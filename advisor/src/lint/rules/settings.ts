import type { Catalog, Expression, Policy, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { findSettingCalls } from '../expressions/setting-calls.ts'
import { withoutOuterParentheses } from '../mends/expression-text.ts'
import { inComment } from '../mends/in-comment.ts'
import { readsIn } from '../reads/expression-reads.ts'
import { askedRelations } from '../rights/relation-grants.ts'
import type { Fault, Rule } from '../rule.ts'

type IsAlwaysSet = (setting: string) => boolean

export const policySettingMayBeEmpty: Rule = {
  name: 'policy-setting-may-be-empty',
  weight: 'failure',
  why:
    'To ask for a setting that nobody has set is an error; and one that was set in an earlier transaction of the ' +
    'connection is an empty text, which is no uuid and no number: where nobody is signed in, every statement fails.',
  find: (catalog, names) => {
    const policies = askedRelations(catalog).flatMap((relation) => relation.policies)
    const isAlwaysSet = alwaysSetIn(names)
    return [
      ...policies.flatMap((policy) => inPolicy(policy, isAlwaysSet)),
      ...calledBy(catalog, policies).flatMap((routine) => inFunction(routine, isAlwaysSet)),
    ]
  },
}

const alwaysSetIn =
  ({ identitySettings }: Names): IsAlwaysSet =>
  (setting) =>
    identitySettings.some((one) => (one.endsWith('.') ? setting.startsWith(one) : setting === one))

const expressionsOf = ({ using, check }: Policy): Expression[] =>
  [using, check].flatMap((one) => (one === null ? [] : [one]))

function inPolicy(policy: Policy, isAlwaysSet: IsAlwaysSet): Fault[] {
  const settings = expressionsOf(policy).flatMap(
    ({ text }) => findSettingCalls(text, isAlwaysSet).settings,
  )
  if (settings.length === 0) return []
  const clause = (words: string, expression: Expression | null) =>
    expression === null
      ? ''
      : `\n  ${words} (${withoutOuterParentheses(findSettingCalls(expression.text, isAlwaysSet).mended)})`
  const { sql, relation, using, check } = policy
  return [
    {
      object: policy.object,
      detail: [...new Set(settings)].join(', '),
      mend: `alter policy ${sql} on ${relation.sql}${clause('using', using)}${clause('with check', check)};`,
    },
  ]
}

/** The functions of policies that are asked about. */
function calledBy({ functions }: Catalog, policies: readonly Policy[]): Routine[] {
  const called = policies.flatMap((policy) =>
    expressionsOf(policy).flatMap(({ tree }) => [...readsIn(tree).functions]),
  )
  return [...new Set(called)].flatMap((oid) => {
    const routine = functions.get(oid)
    return routine?.isAsked === true ? [routine] : []
  })
}

/** One with an exception handler may well know. */
function inFunction(
  { source, sqlBody, language, kind, sql }: Routine,
  isAlwaysSet: IsAlwaysSet,
): Fault[] {
  const body = sqlBody?.text ?? source ?? ''
  if ((language !== 'sql' && language !== 'plpgsql') || /\bexception\b/i.test(body)) return []
  const { settings } = findSettingCalls(body, isAlwaysSet)
  if (settings.length === 0) return []
  const calls = settings
    .map((one) => `--   nullif(current_setting('${inComment(one)}', true), '')`)
    .join('\n')
  return [
    {
      object: `${kind} ${sql}`,
      detail: settings.join(', '),
      mend: `-- ask in its body for what may be null:\n${calls}`,
    },
  ]
}
