/** What a body's text shows. Where texts are blanked out, places in one are places in the other. */

/** Without comments, and with nothing in literals and quoted names that could be taken for SQL. */
export function blankOut(source: string): string {
  return source.replaceAll(/"[^"]*"|'[^']*'|--[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
    (/^['"]/.test(part) ? 'x' : ' ').repeat(part.length),
  )
}

/** The one statement that is all of a body in language sql, or null. */
export function onlyStatementOf(body: string): string | null {
  const bare = blankOut(body).replace(/;\s*$/, '')
  return bare.includes(';') || bare.trim() === '' ? null : body.slice(0, bare.length).trim()
}

/**
 * Whether a query is an expression and nothing else, as `select $1 + 1` is: only then does Postgres put it in
 * the place of a call that answers with one value (inline_function in its clauses.c).
 */
export function isExpression(query: string): boolean {
  const bare = blankOut(query)
  const queries = bare.match(/\b(select|with|values|table|insert|update|delete|merge)\b/gi) ?? []
  return (
    queries.length === 1 && !/\b(from|where|group|having|order|limit)\b/i.test(topLevelOf(bare))
  )
}

/** Whether a query may have more rows than one, as far as its text shows; an aggregate never has. */
export function mayHaveMoreRows(query: string): boolean {
  const top = topLevelOf(blankOut(query))
  return /\b(from|union|values)\b/i.test(top) && !/\b(limit|offset|fetch|for)\b/i.test(top)
}

/** Without what stands in parentheses. `is distinct from` asks no table. */
function topLevelOf(bare: string): string {
  const outer = bare.replaceAll(/\([^()]*\)/g, (part) => ' '.repeat(part.length))
  return outer === bare ? bare.replaceAll(/\bdistinct\s+from\b/gi, ' ') : topLevelOf(outer)
}
