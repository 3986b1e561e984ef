import { Secret } from '../../ground/crypto/secret.ts'
import { Refusal } from '../../ground/errors.ts'

const MOST_CHARACTERS = 1024

/**
 * A password as it is hashed: NFKC (NIST SP 800-63B section 5.1.1.2), so that it is the same from every
 * keyboard, and whole, without a limit at 72 bytes or at a NUL.
 *
 * @param path where it stands in the request
 * @throws Refusal `invalid_request` when it is empty, longer than 1024 characters or not well-formed
 */
export function normalizePassword(
  given: string,
  path = '/password',
): { password: Secret; characters: number } {
  const normalized = given.normalize('NFKC')
  const characters = [...normalized].length
  // Half of a surrogate pair has no bytes in UTF-8: every one would be hashed as the same U+FFFD.
  if (!given.isWellFormed()) {
    throw new Refusal('invalid_request', {
      faults: [{ path, message: 'must be well-formed Unicode' }],
    })
  }
  if (characters < 1 || characters > MOST_CHARACTERS) {
    throw new Refusal('invalid_request', {
      faults: [{ path, message: `must have 1 to ${MOST_CHARACTERS} characters` }],
    })
  }
  return { password: Secret.fromText(normalized), characters }
}
