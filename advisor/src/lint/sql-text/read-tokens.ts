/** A piece of SQL or plpgsql. Comments and blanks are none. */
export interface Token {
  /**
   * `word`: a key word or a name without quotes; `name`: one in quotes; `string`: a literal of any form, `$$…$$` too;
   * `parameter`: `$1`; `sign`: an operator, a bracket, `,` `;` `.` `::` `:=` `=>` `..`.
   */
  type: 'word' | 'name' | 'string' | 'number' | 'parameter' | 'sign'
  /** What it stands for: a word in lower case, a name or a string without its quotes, anything else as it is written. */
  value: string
  /** Where it is written: `sql.slice(start, end)`. */
  start: number
  end: number
}

/** In the order in which they are tried at a place: what begins alike stands before what is shorter. */
const forms: readonly [type: Token['type'] | 'blank', form: string][] = [
  ['blank', String.raw`\s+|--[^\n\r]*`],
  // With backslashes; then without, as standard_conforming_strings has them. One that does not end takes the rest.
  ['string', String.raw`[eE]'(?:[^'\\]+|''|\\[\s\S])*(?:'|\\?$)`],
  ['string', `(?:[bBxXnN]|[uU]&)?'(?:[^']+|'')*(?:'|$)`],
  ['name', `(?:[uU]&)?"(?:[^"]+|"")*(?:"|$)`],
  ['word', String.raw`[\p{L}_\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*`],
  ['parameter', String.raw`\$\d+`],
  // Not the first half of `1..10`.
  [
    'number',
    String.raw`0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?`,
  ],
  ['sign', String.raw`::|:=|\.\.|=>|(?:(?!--|/\*)[-+*/<>=~!@#%^&|${'`'}?])+|[\s\S]`],
]
const anyForm = new RegExp(forms.map(([, form]) => `(${form})`).join('|'), 'uy')
const dollarQuote = /\$(?:[\p{L}_\u0080-\uffff][\p{L}\p{N}_\u0080-\uffff]*)?\$/uy

/** Reads SQL or a function's body as Postgres' scanner does, and never fails: what it does not know is a sign. */
export function readTokens(sql: string): Token[] {
  const tokens: Token[] = []
  let place = 0
  while (place < sql.length) {
    const start = place
    if (sql.startsWith('/*', start)) {
      place = endOfComment(sql, start)
      continue
    }
    const quote = matchAt(dollarQuote, sql, start)?.[0]
    if (quote !== undefined) {
      const end = sql.indexOf(quote, start + quote.length)
      place = end === -1 ? sql.length : end + quote.length
      const value = sql.slice(start + quote.length, end === -1 ? sql.length : end)
      tokens.push({ type: 'string', value, start, end: place })
      continue
    }
    const match = matchAt(anyForm, sql, start)
    const text = match?.[0] || sql.charAt(start)
    place = start + text.length
    const [type] = forms[
      (match?.findIndex((part, group) => group > 0 && part !== undefined) ?? 1) - 1
    ] ?? ['sign']
    if (type !== 'blank') tokens.push({ type, value: meaningOf(type, text), start, end: place })
  }
  return tokens
}

function matchAt(form: RegExp, sql: string, place: number): RegExpExecArray | null {
  form.lastIndex = place
  return form.exec(sql)
}

/** They may stand in each other. */
function endOfComment(sql: string, start: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = start
  for (let depth = 0; ; ) {
    const [found] = mark.exec(sql) ?? []
    if (found === undefined) return sql.length
    depth += found === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
}

function meaningOf(type: Token['type'], text: string): string {
  if (type === 'word') return text.toLowerCase()
  if (type === 'name') return unquote(text, '"')
  if (type !== 'string') return text
  const value = unquote(text, "'")
  return /^[eE]/.test(text)
    ? value.replaceAll(/\\([\s\S])/g, (_, what: string) => escaped[what] ?? what)
    : value
}

/** Those of more digits (`\x41`) are left as they are: nobody writes a name so. */
const escaped: Record<string, string> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  x: '\\x',
  u: '\\u',
  U: '\\U',
}

function unquote(text: string, quote: string): string {
  const from = text.indexOf(quote) + 1
  const isEnded = text.length > from && text.endsWith(quote)
  return text.slice(from, isEnded ? -1 : undefined).replaceAll(quote + quote, quote)
}
