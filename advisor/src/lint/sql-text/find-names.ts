import type { Token } from './read-tokens.ts'

/** A name as a body writes it: `f`, `app.f`, `"App".f.id`. */
export interface WrittenName {
  /** Between its dots. */
  parts: string[]
  /** That an opening bracket follows. */
  isCalled: boolean
  /** The word or sign before it, '' for none. */
  before: string
  /** Which token it begins with, and which one follows it. */
  from: number
  to: number
}

/** Every name of a body, also key words that are not quoted, which resolve to nothing. */
export function findNames(tokens: readonly Token[]): WrittenName[] {
  const names: WrittenName[] = []
  for (let place = 0; place < tokens.length; place += 1) {
    if (!isName(tokens[place])) continue
    const from = place
    const parts = [tokens[place]?.value ?? '']
    while (isSign(tokens[place + 1], '.') && isName(tokens[place + 2])) {
      parts.push(tokens[place + 2]?.value ?? '')
      place += 2
    }
    const before = tokens[from - 1]
    names.push({
      parts,
      isCalled: isSign(tokens[place + 1], '('),
      before: before === undefined || before.type === 'string' ? '' : before.value,
      from,
      to: place + 1,
    })
  }
  return names
}

const isName = (token: Token | undefined): boolean =>
  token?.type === 'word' || token?.type === 'name'

export const isSign = (token: Token | undefined, sign: string): boolean =>
  token?.type === 'sign' && token.value === sign
