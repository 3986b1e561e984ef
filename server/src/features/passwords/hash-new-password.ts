import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { normalizePassword } from './normalize-password.ts'

/** zxcvbn's scale: 0 and 1 are guessed within a million tries, which a patient attacker gets online. */
const LEAST_SCORE = 2

/**
 * Checks a password that somebody wants to have, and hashes it.
 *
 * @param path where the password stands in the request
 * @param ownWords what is known of the user: a password made of that is easy to guess
 * @throws Refusal `weak_password` when it is short, common, or made of the user's own words; `busy`
 */
export async function hashNewPassword(
  { hasher, policy }: Pick<Ground, 'hasher'> & PolicyOf<'service' | 'passwords'>,
  given: string,
  ownWords: (string | null)[],
  path = '/password',
): Promise<string> {
  const { password, characters } = normalizePassword(given, path)
  if (characters < policy.passwords.minLength) {
    throw weak(path, `must have at least ${policy.passwords.minLength} characters`)
  }
  const context = ownWords.concat(policy.service.name).flatMap(wordsOf)
  if ((await hasher.judge({ password, ownWords: context })) < LEAST_SCORE) {
    throw weak(
      path,
      'is too easy to guess: it is common, or made of your own name or address. Try a few unrelated words',
    )
  }
  return hasher.hash(password)
}

/** The text itself and its parts: `ada@example.com` is also `ada` and `example`. */
function wordsOf(text: string | null): string[] {
  if (text === null) return []
  return [text, ...text.split(/[^\p{L}\p{N}]+/u)].filter((word) => word.length >= 3)
}

function weak(path: string, message: string): Refusal {
  return new Refusal('weak_password', { faults: [{ path, message }] })
}
