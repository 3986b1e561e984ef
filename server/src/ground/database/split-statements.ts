/**
 * Where each statement of a file begins, for pointing at one: comments and space before it left out. Knows quotes, dollar
 * quotes, nested comments and the bodies of `begin atomic`.
 */
export function splitStatements(sql: string): number[] {
  const starts: number[] = []
  let isInside = false
  let depth = 0
  let before = ''
  for (const { index, 0: token } of sql.matchAll(tokens)) {
    if (/^\s|^--|^\/\*/.test(token)) continue
    if (token === ';' && depth === 0) {
      isInside = false
      continue
    }
    if (!isInside) starts.push(index)
    isInside = true
    const word = token.toLowerCase()
    if (word === 'atomic' && before === 'begin') depth = 1
    else if (depth > 0 && word === 'case') depth += 1
    else if (depth > 0 && word === 'end') depth -= 1
    before = word
  }
  return starts
}

/** PostgreSQL, "Lexical Structure". */
const tokens =
  /\s+|--[^\n]*|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*)|\/\*(?:[^*]|\*(?!\/))*\*\/)*\*\/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|\w+|[\s\S]/g
