import { isSign } from './find-names.ts'
import type { Token } from './read-tokens.ts'
import { findOutside } from './split-statements.ts'
import { selectedBy } from './taint-of.ts'

/** `x := …`, `x text := …`, `x alias for $1`, `select … into x`, `foreach x in array …`. */
export function assignmentsIn(
  statement: readonly Token[],
): { to: string; from: readonly Token[] }[] {
  const [first, second] = statement
  if (first === undefined) return []
  if (first.value === 'foreach')
    return [
      {
        to: second?.value ?? '',
        from: statement.slice(3).filter(({ value }) => value !== 'array'),
      },
    ]
  if (second?.value === 'alias') return [{ to: first.value, from: statement.slice(3) }]
  if (first.value === 'select') {
    const into = findOutside(statement, ({ type, value }) => type === 'word' && value === 'into')
    const targets = targetsFrom(statement.slice(into + 1))
    return targets.map((to) => ({ to, from: selectedBy(statement) }))
  }
  const sign = findOutside(
    statement,
    ({ type, value }) =>
      (type === 'sign' && (value === ':=' || value === '=')) ||
      (type === 'word' && value === 'default'),
  )
  const isQuery = [
    'update',
    'insert',
    'delete',
    'with',
    'perform',
    'return',
    'execute',
    'raise',
    'for',
    'merge',
  ].includes(first.value)
  if (isQuery || sign === statement.length) return []
  return [{ to: first.value, from: statement.slice(sign + 1) }]
}

export function targetsFrom(tokens: readonly Token[]): string[] {
  const targets: string[] = []
  for (let place = tokens[0]?.value === 'strict' ? 1 : 0; place < tokens.length; place += 2) {
    targets.push(tokens[place]?.value ?? '')
    if (!isSign(tokens[place + 1], ',')) break
  }
  return targets
}
