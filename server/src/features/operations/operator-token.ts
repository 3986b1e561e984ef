import { timingSafeEqual } from 'node:crypto'
import { epochSeconds } from '../../ground/clock.ts'
import { signText } from '../../ground/crypto/derive-keys.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'

const LIVES_SECONDS = 60

type Needs = Pick<Ground, 'keys' | 'clock'>

/** Shows a running node that a command has its SECRET_KEY. Good for a minute. */
export function signOperatorToken({ keys, clock }: Needs): string {
  const expiresAt = String(epochSeconds(clock.now()) + LIVES_SECONDS)
  return `${expiresAt}.${signText(keys[0].operatorToken, expiresAt)}`
}

/** @throws Refusal `unauthenticated` */
export function checkOperatorToken(needs: Needs, token: string | null): void {
  if (isOperatorToken(needs, token)) return
  throw new Refusal('unauthenticated', {
    detail:
      'This needs a token made of SECRET_KEY: pie doctor --node and pie cache status send one.',
  })
}

function isOperatorToken({ keys, clock }: Needs, token: string | null): boolean {
  const [, expiresAt, signature] = /^(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec(token ?? '') ?? []
  if (expiresAt === undefined || signature === undefined) return false
  const left = Number(expiresAt) - epochSeconds(clock.now())
  if (left <= 0 || left > 2 * LIVES_SECONDS) return false
  return keys.some(({ operatorToken }) =>
    timingSafeEqual(Buffer.from(signText(operatorToken, expiresAt)), Buffer.from(signature)),
  )
}
