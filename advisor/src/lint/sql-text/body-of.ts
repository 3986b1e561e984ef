import type { Routine } from '../../catalog/catalog.ts'
import { readTokens, type Token } from './read-tokens.ts'

const read = new WeakMap<Routine, readonly Token[]>()

/** A function's body, read once; nothing where it is not written in SQL or plpgsql. */
export function bodyOf(routine: Routine): readonly Token[] {
  const known = read.get(routine)
  if (known !== undefined) return known
  const isSql = routine.language === 'sql' || routine.language === 'plpgsql'
  const tokens = isSql ? readTokens(routine.source ?? routine.sqlBody?.text ?? '') : []
  read.set(routine, tokens)
  return tokens
}
