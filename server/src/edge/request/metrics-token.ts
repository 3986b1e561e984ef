import { isSameSecret } from '../../ground/crypto/is-same-secret.ts'
import type { Secret } from '../../ground/crypto/secret.ts'
import { Refusal } from '../../ground/errors.ts'

/** @throws Refusal `unauthenticated` */
export function checkMetricsToken(expected: Secret | null, given: string | null): void {
  if (expected === null || given === null || !isSameSecret(expected, given))
    throw new Refusal('unauthenticated', {
      detail: 'This needs METRICS_TOKEN, sent as Authorization: Bearer.',
    })
}
