import { isSign } from './find-names.ts'
import type { Token } from './read-tokens.ts'

/** A body in plpgsql or SQL, taken apart. */
export interface Statements {
  /** Assignments, queries and so on, without what stands before them (`if … then`, `begin`). */
  simple: (readonly Token[])[]
  /** What `if`, `elsif`, `when`, `while` and `assert` ask. */
  conditions: (readonly Token[])[]
}

const alone = new Set(['begin', 'declare', 'else', 'loop', 'exception'])
/** Words that stand before a condition or the head of a loop, and where it ends. */
const heads = new Map([
  ['if', 'then'],
  ['elsif', 'then'],
  ['elseif', 'then'],
  ['when', 'then'],
  ['while', 'loop'],
  ['for', 'loop'],
  ['foreach', 'loop'],
])

export function splitStatements(tokens: readonly Token[]): Statements {
  const found: Statements = { simple: [], conditions: [] }
  for (let rest = tokens; rest.length > 0; ) {
    const end = findOutside(rest, ({ type, value }) => type === 'sign' && value === ';')
    addStatement(rest.slice(0, end), found)
    rest = rest.slice(end + 1)
  }
  return found
}

function addStatement(statement: readonly Token[], { simple, conditions }: Statements): void {
  let rest = statement
  for (let before = -1; rest.length !== before; ) {
    before = rest.length
    const [first, second] = rest
    if (first?.type === 'sign' && first.value === '<<') rest = rest.slice(3)
    else if (first?.type === 'word' && alone.has(first.value)) rest = rest.slice(1)
    const end = first?.type === 'word' ? heads.get(first.value) : undefined
    // `case x when …`, as a statement.
    const isCase = first?.type === 'word' && first.value === 'case'
    if (end === undefined && !isCase) continue
    const place = isCase
      ? rest.findIndex(({ value }) => value === 'when')
      : findOutside(rest, ({ type, value }) => type === 'word' && value === end)
    const head = rest.slice(1, place)
    if (end === 'loop' && first?.value !== 'while') simple.push([...rest.slice(0, place)])
    else if (head.length > 0 || second !== undefined) conditions.push(head)
    rest = rest.slice(isCase ? place : place + 1)
  }
  if (rest[0]?.value === 'assert') conditions.push(rest.slice(1))
  if (rest.length > 0) simple.push(rest)
}

/** The first token that is asked for outside of brackets and of `case … end`; where there is none, the end. */
export function findOutside(tokens: readonly Token[], is: (token: Token) => boolean): number {
  let depth = 0
  let cases = 0
  for (const [place, token] of tokens.entries()) {
    if (isSign(token, '(') || isSign(token, '[')) depth += 1
    else if (isSign(token, ')') || isSign(token, ']')) depth -= 1
    else if (depth === 0 && cases === 0 && is(token)) return place
    else if (token.type === 'word' && token.value === 'case' && place > 0) {
      // Not `end case`.
      if (tokens[place - 1]?.value !== 'end') cases += 1
    } else if (token.type === 'word' && token.value === 'end' && cases > 0) cases -= 1
  }
  return tokens.length
}

/** Parts between commas outside of brackets. */
export function splitAtCommas(tokens: readonly Token[]): (readonly Token[])[] {
  const parts: (readonly Token[])[] = []
  for (let rest = tokens; rest.length > 0; ) {
    const end = findOutside(rest, (token) => isSign(token, ','))
    parts.push(rest.slice(0, end))
    rest = rest.slice(end + 1)
  }
  return parts
}

/** The place of the bracket that closes the one at a place. */
export function closingOf(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let place = open; place < tokens.length; place += 1) {
    if (isSign(tokens[place], '(') || isSign(tokens[place], '[')) depth += 1
    if (isSign(tokens[place], ')') || isSign(tokens[place], ']')) depth -= 1
    if (depth === 0) return place
  }
  return tokens.length
}
