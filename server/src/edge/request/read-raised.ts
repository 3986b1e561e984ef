import type pg from 'pg'
import type { Raised } from '../../ground/errors.ts'

/** More than anybody reads, and less than a table. */
const MOST_CHARACTERS = 2_000

/**
 * What an application raises for its clients, with an SQLSTATE of the class `AP`: `raise exception 'sold out' using errcode =
 * 'AP001', detail = '…', hint = '…'`. Postgres has no such class, and P0001 is what every `raise` has that means nobody.
 * Null for everything else. The fields that name a table, a column or a constraint are not read.
 */
export function readRaised({
  code = '',
  message,
  detail,
  hint,
}: Pick<pg.DatabaseError, 'code' | 'message' | 'detail' | 'hint'>): Raised | null {
  if (!/^AP[0-9A-Z]{3}$/.test(code)) return null
  return {
    sqlstate: code,
    message: shorten(message),
    ...(detail !== undefined && detail !== '' && { detail: shorten(detail) }),
    ...(hint !== undefined && hint !== '' && { hint: shorten(hint) }),
  }
}

const shorten = (text: string): string =>
  text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS).toWellFormed()}…`
