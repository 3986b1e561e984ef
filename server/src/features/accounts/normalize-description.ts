import { Refusal } from '../../ground/errors.ts'

const oneLine = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{0,500}$/u

/**
 * What a role or permission is for, in a sentence, without space around it; it may be left out.
 * @throws Refusal `invalid_request` when it is longer than 500 characters or not one line
 */
export function normalizeDescription(given: string): string {
  const description = given.normalize('NFC').trim()
  if (!oneLine.test(description)) {
    throw new Refusal('invalid_request', {
      faults: [{ path: '/description', message: 'must be one line of 500 characters at most' }],
    })
  }
  return description
}
