import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { PolicyOf } from '../../ground/policy.ts'

/** Of a password that is made: 120 bits, in 20 characters. */
const LEAST_BYTES = 15

/** What stands on standard input, without the line's end; null when no password is given there. */
export async function readPassword(isGiven: boolean): Promise<string | null> {
  return isGiven ? (await text(process.stdin)).replace(/\r?\n$/, '') : null
}

/** A password that nobody has thought of, long enough for PASSWORD_MIN_LENGTH. */
export function makePassword({ policy }: PolicyOf<'passwords'>): string {
  const bytes = Math.max(LEAST_BYTES, Math.ceil((policy.passwords.minLength * 3) / 4))
  return randomBytes(bytes).toString('base64url')
}

export const sayPassword = (password: string): string =>
  `Password: ${password}\nIt is shown this once.`
