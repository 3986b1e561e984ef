import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'

/**
 * How a role connects. While SECRET_KEY is being changed, its password may be the one of any key, and
 * may become another's at any time: a running node then goes on with that.
 */
export interface Login {
  /** Where to connect, with the password that is tried now. */
  url(): string
  /** Whether a connection failed because of the password, and there is another to try from now on. */
  tryNext(error: unknown): boolean
  /** How many passwords there are. */
  passwords: number
}

/** @param urls one address, or several that differ in the password, the likeliest first */
export function createLogin(urls: Secret | readonly Secret[]): Login {
  const all = [urls].flat()
  let current = 0
  return {
    url: () => all[current]?.revealText() ?? '',
    tryNext: (error) => {
      if (!isPasswordRefused(error) || all.length < 2) return false
      current = (current + 1) % all.length
      return true
    },
    passwords: all.length,
  }
}

/** PgBouncer has no SQLSTATE of its own for it: 08P01, protocol_violation, and words. */
function isPasswordRefused(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  return (
    error.code === '28P01' ||
    (error.code === '08P01' && /authentication failed/.test(error.message))
  )
}
