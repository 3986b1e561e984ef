/** A word of the text of a function: a name in lower case, or as it is where it is quoted; a literal; a sign. */
export interface Token {
  kind: 'name' | 'literal' | 'sign'
  text: string
}

const pattern =
  /--[^\n]*|\/\*[\s\S]*?\*\/|[eE]?'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*)|\$\d+|\d[\w.]*|\s+|[^\s]/gu

/** Comments left out. What dollars quote is read like the rest. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  for (const [text, literal, quoted, name] of source.matchAll(pattern)) {
    if (literal !== undefined) tokens.push({ kind: 'literal', text: literal.replaceAll("''", "'") })
    else if (quoted !== undefined) tokens.push({ kind: 'name', text: quoted.replaceAll('""', '"') })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name.toLowerCase() })
    else if (!/^(--|\/\*|\s)/.test(text)) tokens.push({ kind: 'sign', text })
  }
  return tokens
}

/** What is called: each name before a parenthesis, with its schema where one is written. */
export function callsIn(
  tokens: readonly Token[],
): { schema: string | null; name: string; at: number }[] {
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'name' || tokens[at + 1]?.text !== '(' || tokens[at + 1]?.kind !== 'sign')
      return []
    const before = tokens[at - 2]
    const isQualified = tokens[at - 1]?.text === '.' && before?.kind === 'name'
    return [{ schema: isQualified ? before.text : null, name: token.text, at }]
  })
}
