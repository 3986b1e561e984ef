import { Refusal } from '../../ground/errors.ts'

const oneLine = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,200}$/u

/**
 * A name without space around it; null for none.
 * @throws Refusal `invalid_request` when it is empty, longer than 200 characters or not one line
 */
export function normalizeName(given: string | null): string | null {
  if (given === null) return null
  const name = given.normalize('NFC').replace(/^ +| +$/g, '')
  if (!oneLine.test(name)) {
    throw new Refusal('invalid_request', {
      faults: [{ path: '/name', message: 'must be one line of 1 to 200 characters' }],
    })
  }
  return name
}
