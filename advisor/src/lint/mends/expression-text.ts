/** An expression as pg_get_expr prints it. Literals and quoted names may hold anything. */
const literalOrName = /'[^']*'|"[^"]*"/g

/** Postgres writes `(a = b)`. Where the first parenthesis closes at the end, it is one too many; but a sub-select has its own. */
export function withoutOuterParentheses(text: string): string {
  const isWhole =
    text.startsWith('(') &&
    !/^\(\s*(select|with|values)\b/i.test(text) &&
    closingParenthesis(text, 0) === text.length - 1
  return isWhole ? text.slice(1, -1) : text
}

/** Where the parenthesis that opens at a place is closed. */
export function closingParenthesis(text: string, open: number): number {
  const bare = blank(text)
  let depth = 0
  for (let place = open; place < bare.length; place += 1) {
    depth += bare[place] === '(' ? 1 : bare[place] === ')' ? -1 : 0
    if (depth === 0) return place
  }
  return bare.length
}

/** Where a function is called outside of sub-selects. @param name as SQL writes it, quotes and all */
export function findCallsInText(name: string, text: string): number[] {
  const withNames = text.replaceAll(literalOrName, (part) =>
    part.startsWith("'") ? "'".repeat(part.length) : part,
  )
  const places: number[] = []
  const call = `${name}(`
  for (let at = withNames.indexOf(call); at >= 0; at = withNames.indexOf(call, at + 1))
    if (!/[\w$".]/.test(withNames.charAt(at - 1)) && !isInSubSelect(text, at)) places.push(at)
  return places
}

function isInSubSelect(text: string, place: number): boolean {
  const openings = blank(text).matchAll(/\(\s*(?:select|with|values)\b/gi)
  return [...openings].some(({ index }) => index < place && closingParenthesis(text, index) > place)
}

/** The same length, with nothing in it that could be taken for SQL. */
const blank = (text: string): string =>
  text.replaceAll(literalOrName, (part) => '_'.repeat(part.length))
