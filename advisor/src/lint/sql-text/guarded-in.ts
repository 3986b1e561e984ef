import { targetsFrom } from './assignments-in.ts'
import { findNames } from './find-names.ts'
import { findOutside, type Statements } from './split-statements.ts'

const asks = new Set(['in', 'any', 'all', 'exists', 'similar', 'like', 'ilike', 'between'])

/**
 * What a condition holds against a list, a pattern, a table or a function: then only what was meant may come so far. Whether
 * it is empty or null is no such thing.
 */
export function guardedIn({ simple, conditions }: Statements): Set<string> {
  const guarded = new Set<string>()
  const asked = new Set<string>()
  for (const condition of conditions) {
    const names = findNames(condition)
    for (const { parts } of names) asked.add(parts.join('.'))
    const isGuard = condition.some(
      ({ type, value }, place) =>
        (type === 'word' && asks.has(value)) ||
        (type === 'sign' && /^!?~~?\*?$/.test(value)) ||
        (type === 'sign' &&
          (value === '<>' || value === '!=') &&
          condition[place + 1]?.type === 'string' &&
          condition[place + 1]?.value !== ''),
    )
    const isFunction = names.some(
      ({ isCalled, parts }) => isCalled && !tellsNothing.has(parts.at(-1) ?? ''),
    )
    if (!isGuard && !isFunction) continue
    for (const { parts } of names) guarded.add(parts.join('.'))
    for (const { type, value } of condition) if (type === 'parameter') guarded.add(value)
  }
  // Looked up first: `select … into found_one from … where name = p; if found_one is null then raise`.
  for (const statement of simple) {
    if (statement[0]?.value !== 'select' && statement[0]?.value !== 'perform') continue
    const where = findOutside(statement, ({ type, value }) => type === 'word' && value === 'from')
    const into = findOutside(statement, ({ type, value }) => type === 'word' && value === 'into')
    const isAsked =
      asked.has('found') || targetsFrom(statement.slice(into + 1)).some((to) => asked.has(to))
    if (isAsked)
      for (const { parts } of findNames(statement.slice(where))) guarded.add(parts.join('.'))
  }
  return guarded
}

const tellsNothing = new Set([
  'length',
  'char_length',
  'coalesce',
  'trim',
  'btrim',
  'lower',
  'upper',
  'nullif',
  'and',
  'or',
  'not',
  'if',
])
