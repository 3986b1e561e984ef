import { domainToASCII } from 'node:url'
import { Refusal } from '../../ground/errors.ts'

/** The longest address that fits an SMTP path (RFC 5321 section 4.5.3.1.3). */
const MOST_CHARACTERS = 254

/**
 * A local part without quotes, spaces or commas, and a domain of at least two labels (RFC 1035 section
 * 2.3.4), the last of which is no number: that would be an IPv4 address.
 */
const plainAddress =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Before lower case: that makes an ASCII k of the Kelvin sign. */
const asciiLocalPart = /^[\x21-\x7e]+$/

/**
 * Before `domainToASCII`, which reads a URL's host: it ends at a slash, drops tabs and line breaks, and
 * decodes percents, so that a text which is no address would become somebody's.
 */
const writtenDomain = /^[\p{L}\p{M}\p{N}.\u3002\uff0e\uff61-]+$/u

/**
 * The one form in which an address is stored and looked up: lower case, the domain in ASCII.
 * `pie_schema.user_emails` accepts no other.
 *
 * @param path where it stands in the request
 * @throws Refusal `invalid_request` for anything that is not a plain address
 */
export function normalizeEmail(given: string, path = '/email'): string {
  const trimmed = given.trim()
  const at = trimmed.lastIndexOf('@')
  const [local, domain] = [trimmed.slice(0, at), trimmed.slice(at + 1)]
  const isWritten = at > 0 && asciiLocalPart.test(local) && writtenDomain.test(domain)
  const email = `${local}@${domainToASCII(domain)}`.toLowerCase()
  if (!isWritten || email.length > MOST_CHARACTERS || !plainAddress.test(email)) {
    throw new Refusal('invalid_request', {
      faults: [{ path, message: 'must be an e-mail address such as ada@example.com' }],
    })
  }
  return email
}
