import { readTokens, type Token } from '../sql-text/read-tokens.ts'
import { isSign, isWord } from './tokens-of.ts'

/** The one statement that is all of a body in language sql, or null. */
export function onlyStatementOf(body: string): string | null {
  const tokens = readTokens(body)
  if (isSign(tokens.at(-1), ';')) tokens.pop()
  const [first, last] = [tokens[0], tokens.at(-1)]
  if (first === undefined || last === undefined) return null
  return tokens.some((token) => isSign(token, ';')) ? null : body.slice(first.start, last.end)
}

/**
 * Whether a query is an expression and nothing else, as `select $1 + 1` is: only then does Postgres put it in
 * the place of a call that answers with one value (inline_function in its clauses.c).
 */
export function isExpression(query: string): boolean {
  const tokens = readTokens(query)
  const queries = tokens.filter((token) =>
    isWord(token, 'select', 'with', 'values', 'table', 'insert', 'update', 'delete', 'merge'),
  )
  return (
    queries.length === 1 &&
    !topLevelOf(tokens).some((token) =>
      isWord(token, 'from', 'where', 'group', 'having', 'order', 'limit'),
    )
  )
}

/** Whether a query may have more rows than one, as far as its text shows; an aggregate never has. */
export function mayHaveMoreRows(query: string): boolean {
  const top = topLevelOf(readTokens(query))
  const has = (...words: string[]) => top.some((token) => isWord(token, ...words))
  return has('from', 'union', 'values') && !has('limit', 'offset', 'fetch', 'for')
}

export const isWriting = (query: string): boolean =>
  isWord(readTokens(query)[0], 'insert', 'update', 'delete', 'merge')

/** Without what stands in parentheses. `is distinct from` asks no table. */
function topLevelOf(tokens: readonly Token[]): Token[] {
  let depth = 0
  return tokens.filter((token, place) => {
    if (isSign(token, ')')) depth -= 1
    const isTop = depth === 0
    if (isSign(token, '(')) depth += 1
    return isTop && !(isWord(token, 'from') && isWord(tokens[place - 1], 'distinct'))
  })
}

/** The query that is all of a plpgsql body, or null: of one value, only what is an expression. */
export function onlyQueryOf(source: string): string | null {
  const tokens = readTokens(source)
  if (isSign(tokens.at(-1), ';')) tokens.pop()
  const [begin, returns, kind] = tokens
  const isQuery = isWord(kind, 'query')
  const query = tokens.slice(isQuery ? 3 : 2, -2)
  const [first, last] = [query[0], query.at(-1)]
  const isOnly =
    isWord(begin, 'begin') &&
    isWord(returns, 'return') &&
    !isWord(kind, 'next') &&
    isSign(tokens.at(-2), ';') &&
    isWord(tokens.at(-1), 'end')
  if (!isOnly || first === undefined || last === undefined || isWord(first, 'execute')) return null
  if (query.some((token) => isSign(token, ';'))) return null
  const text = source.slice(first.start, last.end)
  if (isQuery) return text
  return isExpression(`select ${text}`) ? `select ${text}` : null
}
