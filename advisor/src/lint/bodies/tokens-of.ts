import type { Routine } from '../../catalog/catalog.ts'
import { readTokens, type Token } from '../sql-text/read-tokens.ts'

const known = new WeakMap<Routine, Token[]>()

/** What the body of a function in SQL or plpgsql is written in; nothing of any other. */
export function tokensOf(routine: Routine): Token[] {
  let tokens = known.get(routine)
  if (tokens === undefined) {
    tokens = isWritten(routine) ? readTokens(routine.sqlBody?.text ?? routine.source ?? '') : []
    known.set(routine, tokens)
  }
  return tokens
}

/** Whether its body can be read. */
export const isWritten = ({ language }: Routine): boolean =>
  language === 'sql' || language === 'plpgsql'

export const isWord = (token: Token | undefined, ...words: string[]): boolean =>
  token?.type === 'word' && words.includes(token.value)

export const isSign = (token: Token | undefined, ...signs: string[]): boolean =>
  token?.type === 'sign' && signs.includes(token.value)

/** An operator as Postgres' scanner would cut it: `=-1` is `=` and `-1`. */
export const operatorsIn = (sign: string): string[] =>
  /[~!@#%^&|`?]/.test(sign) || !/.[-+]+$/.test(sign)
    ? [sign]
    : [sign.replace(/[-+]+$/, ''), '-', '+']
