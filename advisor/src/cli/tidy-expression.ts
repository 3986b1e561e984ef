/** An expression as Postgres prints it, on one line, and without the names it gives to `(select f())`. */
export function tidyExpression(expression: string): string {
  return withoutNames(expression.replace(/\s+/g, ' '))
}

const start = '( SELECT '

function withoutNames(text: string): string {
  const place = placeOf(text)
  if (place === null) return text
  const end = closingOf(text, place)
  const inner = withoutNames(text.slice(place + start.length, end))
  const [, value] = /^(.*) AS (?:\w+|"(?:[^"]|"")+")$/s.exec(inner) ?? []
  const isOfNothing = value !== undefined && !hasAtTheTop(value, [' FROM ', ' WHERE ', ','])
  const before = text.slice(0, place)
  return `${before}${isOfNothing ? `(select ${value})` : `${start}${inner})`}${withoutNames(text.slice(end + 1))}`
}

function placeOf(text: string): number | null {
  for (const [at] of outsideOfQuotes(text, 0)) if (text.startsWith(start, at)) return at
  return null
}

/** The place of the parenthesis that closes the one at a place. */
function closingOf(text: string, place: number): number {
  let depth = 0
  for (const [at, sign] of outsideOfQuotes(text, place)) {
    if (sign === '(') depth += 1
    if (sign === ')') depth -= 1
    if (depth === 0) return at
  }
  return text.length
}

function hasAtTheTop(text: string, words: readonly string[]): boolean {
  let depth = 0
  for (const [at, sign] of outsideOfQuotes(text, 0)) {
    if (sign === '(' || sign === '[') depth += 1
    if (sign === ')' || sign === ']') depth -= 1
    if (depth === 0 && words.some((word) => text.startsWith(word, at))) return true
  }
  return false
}

function* outsideOfQuotes(text: string, from: number): Generator<[number, string]> {
  for (let at = from; at < text.length; at += 1) {
    const sign = text[at] as string
    if (sign === "'" || sign === '"') {
      const end = text.indexOf(sign, at + 1)
      at = end === -1 ? text.length : end
    } else yield [at, sign]
  }
}
