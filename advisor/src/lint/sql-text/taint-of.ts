import { isSign } from './find-names.ts'
import type { Token } from './read-tokens.ts'
import { closingOf, findOutside, splitAtCommas } from './split-statements.ts'

/**
 * What a text has in it of what a caller says: `text`, as it is; `name`, in quotes as the name of something; null for
 * nothing, or for what cannot be seen: what is told has to be sure.
 */
export type Taint = 'text' | 'name' | null

/** Who holds what: variables, arguments and `$1`, as they are written. */
export type Tainted = (written: string) => Taint

/** Answers with one of the values that it is given, or with a part of one, or with them side by side. */
const passesOn = new Set([
  ...[
    'lower',
    'upper',
    'initcap',
    'trim',
    'btrim',
    'ltrim',
    'rtrim',
    'concat',
    'concat_ws',
    'coalesce',
    'nullif',
  ],
  ...[
    'greatest',
    'least',
    'replace',
    'regexp_replace',
    'substr',
    'substring',
    'left',
    'right',
    'array_to_string',
    'string_agg',
    'unnest',
  ],
  ...[
    'lpad',
    'rpad',
    'repeat',
    'overlay',
    'split_part',
    'reverse',
    'convert_from',
    'array',
    'row',
    'text',
    'array_append',
  ],
])

/** What a cast to one of these leaves as it was; to others nothing passes that could be SQL. */
const textTypes = new Set([
  ...['text', 'varchar', 'character', 'char', 'bpchar', 'name', 'json', 'jsonb', 'xml', 'citext'],
])

const worst = (taints: Taint[]): Taint =>
  taints.includes('text') ? 'text' : taints.includes('name') ? 'name' : null

/** Of an expression. */
export function taintOf(tokens: readonly Token[], tainted: Tainted): Taint {
  const found: Taint[] = []
  for (let place = 0; place < tokens.length; ) {
    const operand = operandAt(tokens, place, tainted)
    const casts = castsAfter(tokens, operand.end)
    place = casts.end
    found.push(casts.isToOther ? null : operand.taint)
  }
  return worst(found)
}

interface Operand {
  taint: Taint
  end: number
}

function operandAt(tokens: readonly Token[], place: number, tainted: Tainted): Operand {
  const token = tokens[place]
  if (token === undefined) return { taint: null, end: place + 1 }
  if (isSign(token, '('))
    return ofField(tokens, place, tainted) ?? ofBrackets(tokens, place, tainted)
  if (token.type === 'parameter') return { taint: tainted(token.value), end: place + 1 }
  if (token.type === 'word' && token.value === 'case') return ofCase(tokens, place, tainted)
  if (token.type !== 'word' && token.type !== 'name') return { taint: null, end: place + 1 }
  const parts = [token.value]
  let end = place + 1
  while (isSign(tokens[end], '.') && tokens[end + 1] !== undefined) {
    parts.push(tokens[end + 1]?.value ?? '')
    end += 2
  }
  if (isSign(tokens[end], '(')) {
    const close = closingOf(tokens, end)
    const taint = ofCall(parts.at(-1) ?? '', splitAtCommas(tokens.slice(end + 1, close)), tainted)
    return { taint, end: close + 1 }
  }
  return { taint: tainted(parts.join('.')), end }
}

/** `(argument).field` */
function ofField(tokens: readonly Token[], open: number, tainted: Tainted): Operand | null {
  const [what, close, dot, field] = tokens.slice(open + 1, open + 5)
  if (what === undefined || field === undefined) return null
  return isSign(close, ')') && isSign(dot, '.')
    ? { taint: tainted(`${what.value}.${field.value}`), end: open + 5 }
    : null
}

/** Of a sub-select only what it selects. */
function ofBrackets(tokens: readonly Token[], open: number, tainted: Tainted): Operand {
  const close = closingOf(tokens, open)
  const inner = tokens.slice(open + 1, close)
  const selected = inner[0]?.value === 'select' ? selectedBy(inner) : inner
  return { taint: taintOf(selected, takenApart(inner, tainted)), end: close + 1 }
}

const takesApart = new Set(['unnest', 'string_to_table', 'regexp_split_to_table'])

/** `from unnest(argument) as part`: each part is what a caller says. */
function takenApart(query: readonly Token[], tainted: Tainted): Tainted {
  const parts = new Map<string, Taint>()
  for (const [place, { value }] of query.entries()) {
    if (!takesApart.has(value) || !isSign(query[place + 1], '(')) continue
    const close = closingOf(query, place + 1)
    const as = query[close + 1]?.value === 'as' ? close + 2 : close + 1
    const alias = query[as]
    if (alias?.type !== 'word' && alias?.type !== 'name') continue
    const taint = taintOf(query.slice(place + 2, close), tainted)
    parts.set(alias.value, taint)
    const column = isSign(query[as + 1], '(') ? query[as + 2]?.value : undefined
    if (column !== undefined) parts.set(column, taint).set(`${alias.value}.${column}`, taint)
  }
  return parts.size === 0 ? tainted : (written) => parts.get(written) ?? tainted(written)
}

/** What stands between `select` and `from`. */
export function selectedBy(query: readonly Token[]): readonly Token[] {
  const rest = query.slice(1)
  return rest.slice(
    0,
    findOutside(
      rest,
      ({ type, value }) => type === 'word' && (value === 'from' || value === 'into'),
    ),
  )
}

/** What it asks decides, and what it answers passes. */
function ofCase(tokens: readonly Token[], place: number, tainted: Tainted): Operand {
  const taints: Taint[] = []
  let depth = 0
  let from: number | null = null
  for (let at = place; at < tokens.length; at += 1) {
    const word = tokens[at]?.type === 'word' ? tokens[at]?.value : ''
    if (isSign(tokens[at], '(') || isSign(tokens[at], '[')) at = closingOf(tokens, at)
    else if (word === 'case') depth += 1
    else if (
      depth === 1 &&
      from !== null &&
      (word === 'when' || word === 'else' || word === 'end')
    ) {
      taints.push(taintOf(tokens.slice(from, at), tainted))
      from = null
    }
    if (depth === 1 && (word === 'then' || word === 'else')) from = at + 1
    if (word === 'end') depth -= 1
    if (word === 'end' && depth === 0) return { taint: worst(taints), end: at + 1 }
  }
  return { taint: null, end: tokens.length }
}

function ofCall(name: string, given: (readonly Token[])[], tainted: Tainted): Taint {
  const taints = given.map((one) => taintOf(one, tainted))
  if (name === 'format') return ofFormat(given, taints)
  if (name === 'quote_ident') return taints[0] === null ? null : 'name'
  if (name === 'cast') {
    const [inner = []] = given
    const as = findOutside(inner, ({ value }) => value === 'as')
    return isTextType(inner[as + 1]) ? taintOf(inner.slice(0, as), tainted) : null
  }
  // With a quotation mark among what it replaces it may be quoting.
  const isQuoting =
    /^(regexp_)?replace$/.test(name) &&
    given.some((one) => one.some(({ type, value }) => type === 'string' && /["']/.test(value)))
  // What is left where all but some characters are taken away.
  const isSieve =
    name === 'regexp_replace' &&
    given[1]?.some(({ type, value }) => type === 'string' && /\[\^|\\[WDS]|^\^/.test(value))
  return passesOn.has(name) && !isQuoting && isSieve !== true ? worst(taints) : null
}

function ofFormat(given: (readonly Token[])[], taints: Taint[]): Taint {
  const [form = [], ...rest] = given
  if (taints[0] === 'text') return 'text'
  const text = form.map(({ type, value }) => (type === 'string' ? value : ' ')).join('')
  if (rest.some(([first]) => first?.value === 'variadic')) return null
  let next = 0
  const found: Taint[] = []
  for (const [, position, kind] of text.matchAll(/%(?:(\d+)\$)?-?\d*([sIL%])/g)) {
    if (kind === '%') continue
    const place = position === undefined ? next : Number(position) - 1
    next = place + 1
    const taint = taints[place + 1] ?? null
    if (kind === 's') found.push(taint)
    if (kind === 'I' && taint !== null) found.push('name')
  }
  return worst(found)
}

function castsAfter(tokens: readonly Token[], from: number): { isToOther: boolean; end: number } {
  let isToOther = false
  let end = from
  while (isSign(tokens[end], '::')) {
    let type = tokens[end + 1]
    end += 2
    while (isSign(tokens[end], '.')) {
      type = tokens[end + 1]
      end += 2
    }
    isToOther ||= !isTextType(type)
    if (isSign(tokens[end], '(')) end = closingOf(tokens, end) + 1
    while (isSign(tokens[end], '[')) end = closingOf(tokens, end) + 1
  }
  return { isToOther, end }
}

const isTextType = (token: Token | undefined): boolean =>
  token !== undefined && textTypes.has(token.value)
