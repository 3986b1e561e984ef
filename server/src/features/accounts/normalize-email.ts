import { domainToASCII } from 'node:url'
import { Refusal } from '../../ground/errors.ts'

/** The longest address that fits an SMTP path (RFC 5321 section 4.5.3.1.3). */
const MOST_CHARACTERS = 254

/** A local part without quotes, spaces or commas, and a domain of at least two labels. */
const plainAddress = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/

/**
 * The one form in which an address is stored and looked up: lower case, the domain in ASCII.
 * `pie_schema.user_emails` accepts no other.
 *
 * @throws Refusal `invalid_request` for anything that is not a plain address
 */
export function normalizeEmail(given: string): string {
  const trimmed = given.trim()
  const at = trimmed.lastIndexOf('@')
  const email = `${trimmed.slice(0, at)}@${domainToASCII(trimmed.slice(at + 1))}`.toLowerCase()
  if (at < 1 || email.length > MOST_CHARACTERS || !plainAddress.test(email)) {
    throw new Refusal('invalid_request', {
      faults: [{ path: '/email', message: 'must be an e-mail address such as ada@example.com' }],
    })
  }
  return email
}
