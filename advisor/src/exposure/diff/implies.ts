/**
 * Whether a row for which one expression is true makes the other true too, as far as their form shows it: conditions that
 * were left out or added with AND and OR, and what asks for nothing. False where it is not known.
 *
 * @param one as Postgres prints it, with parentheses around each operation; null for what asks for nothing
 */
export function implies(one: string | null, other: string | null): boolean {
  return follows(bare(one ?? 'true'), bare(other ?? 'true'))
}

function follows(one: string, other: string): boolean {
  if (one === other || other === 'true' || one === 'false') return true
  const [oneOf, allOf] = [parts(one, ' OR '), parts(other, ' AND ')]
  if (oneOf.length > 1) return oneOf.every((part) => follows(part, other))
  if (allOf.length > 1) return allOf.every((part) => follows(one, part))
  const [conditions, alternatives] = [parts(one, ' AND '), parts(other, ' OR ')]
  return (
    (conditions.length > 1 && conditions.some((part) => follows(part, other))) ||
    (alternatives.length > 1 && alternatives.some((part) => follows(one, part)))
  )
}

/** What stands between a word at the top, without the parentheses around it. */
function parts(expression: string, word: ' AND ' | ' OR '): string[] {
  const found: string[] = []
  let start = 0
  for (const place of atTheTop(expression))
    if (expression.startsWith(word, place)) {
      found.push(bare(expression.slice(start, place)))
      start = place + word.length
    }
  found.push(bare(expression.slice(start)))
  // `not (…)` and `case` stand outside of the parentheses of what they are about.
  return /^(NOT|CASE) /.test(expression) ? [expression] : found
}

/** Without the parentheses that stand around all of it. */
function bare(expression: string): string {
  const text = expression.replaceAll(/\s+/g, ' ').trim()
  if (!text.startsWith('(') || !text.endsWith(')')) return text
  const [outside] = atTheTop(text.slice(0, -1))
  return outside === undefined ? bare(text.slice(1, -1)) : text
}

/** The places of spaces, and of what is in no parentheses, brackets and quotes. */
function* atTheTop(expression: string): Generator<number> {
  let depth = 0
  for (let place = 0; place < expression.length; place += 1) {
    const sign = expression[place] as string
    if (sign === "'" || sign === '"') {
      const end = expression.indexOf(sign, place + 1)
      // Two of them are one within: that is a text that ends and another that begins, to no harm.
      place = end === -1 ? expression.length : end
    } else if (sign === '(' || sign === '[') depth += 1
    else if (sign === ')' || sign === ']') depth -= 1
    else if (depth === 0) yield place
  }
}
