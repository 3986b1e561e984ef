/**
 * Takes SQL apart at the semicolons between its statements, and leaves alone those in a literal, a quoted name, a
 * dollar-quoted body, a comment or `begin atomic … end`. Each statement keeps its semicolon, and what stands before it.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let statement = ''
  let isAtomic = false
  let cases = 0
  for (const [token] of sql.matchAll(tokens)) {
    statement += token
    const word = token.toLowerCase()
    if (/^begin\s+atomic$/.test(word)) isAtomic = true
    else if (isAtomic && word === 'case') cases += 1
    else if (isAtomic && word === 'end') {
      if (cases > 0) cases -= 1
      else isAtomic = false
    }
    if (token !== ';' || isAtomic) continue
    statements.push(statement.trim())
    statement = ''
  }
  return [...statements, statement.trim()].filter((text) => text !== '')
}

/** Each kind whole, in the order in which one hides another; a word; or any other sign. */
const tokens = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`/\*[\s\S]*?\*/`,
    String.raw`\b[eE]'(?:[^'\\]|''|\\[\s\S])*'`,
    `'(?:[^']|'')*'`,
    '"(?:[^"]|"")*"',
    String.raw`(?<!\w)(\$(?:[a-zA-Z_]\w*)?\$)[\s\S]*?\1`,
    String.raw`\bbegin\s+atomic\b`,
    String.raw`\w+`,
    String.raw`[\s\S]`,
  ].join('|'),
  'gi',
)

/** A statement without the comments before it. */
export const withoutComments = (statement: string): string =>
  statement.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '')
