import { isSign } from './find-names.ts'
import type { Token } from './read-tokens.ts'
import { closingOf, findOutside, splitAtCommas } from './split-statements.ts'

/** `delete from …`, `update …`, `insert into …`, `merge into …`, as it is written. */
export interface WrittenDeed {
  verb: 'delete' | 'update' | 'insert' | 'merge'
  /** The last part of the table's name. */
  table: string
  /** What follows the name, as far as the statement goes. */
  rest: readonly Token[]
}

const isWord = (token: Token | undefined, ...words: string[]): boolean =>
  token?.type === 'word' && words.includes(token.value)

export function deedsIn(tokens: readonly Token[]): WrittenDeed[] {
  return tokens.flatMap((token, place): WrittenDeed[] => {
    const isInto = isWord(token, 'insert', 'merge') && isWord(tokens[place + 1], 'into')
    const isFrom = isWord(token, 'delete') && isWord(tokens[place + 1], 'from')
    if (!isInto && !isFrom && !isWord(token, 'update')) return []
    let at = place + (isInto || isFrom ? 2 : 1)
    if (isWord(tokens[at], 'only')) at += 1
    while (isSign(tokens[at + 1], '.')) at += 2
    const table = tokens[at]
    // `on conflict … do update set`, `when matched then update set`, `for update`.
    if (table === undefined || table.type === 'sign' || isWord(table, 'set', 'of')) return []
    const verb = token.value as WrittenDeed['verb']
    return [{ verb, table: table.value, rest: statementFrom(tokens, at + 1) }]
  })
}

/** As far as its semicolon, or the bracket that it stands in. */
function statementFrom(tokens: readonly Token[], from: number): readonly Token[] {
  let depth = 0
  for (let place = from; place < tokens.length; place += 1) {
    if (isSign(tokens[place], '(') || isSign(tokens[place], '[')) depth += 1
    if (isSign(tokens[place], ')') || isSign(tokens[place], ']')) depth -= 1
    if (depth < 0 || (depth === 0 && isSign(tokens[place], ';'))) return tokens.slice(from, place)
  }
  return tokens.slice(from)
}

const afterWhere = [
  ...['returning', 'group', 'order', 'limit', 'offset', 'fetch', 'for', 'window', 'having'],
  ...['union', 'intersect', 'except', 'loop'],
]

/** The conditions after every `where`, between its `and` and `or`. */
export function conditionsIn(tokens: readonly Token[]): (readonly Token[])[] {
  return tokens.flatMap((token, place) => {
    if (!isWord(token, 'where')) return []
    const rest = statementFrom(tokens, place + 1)
    const where = rest.slice(
      0,
      findOutside(rest, ({ type, value }) => type === 'word' && afterWhere.includes(value)),
    )
    return splitAtWords(where)
  })
}

function splitAtWords(where: readonly Token[]): (readonly Token[])[] {
  const end = findOutside(where, ({ type, value }) => type === 'word' && /^(and|or)$/.test(value))
  const rest = where.slice(end + 1)
  return [where.slice(0, end), ...(rest.length > 0 ? splitAtWords(rest) : [])]
}

/** What `set` gives to columns: what stands on the right of each `=`. */
export function valuesSetBy(rest: readonly Token[]): (readonly Token[])[] {
  const set = findOutside(rest, (token) => isWord(token, 'set'))
  const given = rest.slice(set + 1)
  const end = findOutside(given, (token) => isWord(token, 'where', 'from', 'returning'))
  return splitAtCommas(given.slice(0, end)).map((one) =>
    one.slice(findOutside(one, (token) => isSign(token, '=')) + 1),
  )
}

/** Each column of an `insert` with what it is given by `values` or `select`. */
export function valuesInserted(
  rest: readonly Token[],
): { column: string; value: readonly Token[] }[] {
  const open = rest.findIndex((token) => isSign(token, '('))
  if (open === -1) return []
  const end = closingOf(rest, open)
  const columns = splitAtCommas(rest.slice(open + 1, end)).map((one) => one.at(-1)?.value ?? '')
  const after = rest.slice(end + 1)
  const values =
    isWord(after[0], 'values') && isSign(after[1], '(')
      ? splitAtCommas(after.slice(2, closingOf(after, 1)))
      : isWord(after[0], 'select')
        ? splitAtCommas(
            after.slice(
              1,
              1 + findOutside(after.slice(1), (token) => isWord(token, 'from', 'on', 'returning')),
            ),
          )
        : []
  return columns.map((column, place) => ({ column, value: values[place] ?? [] }))
}
