import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { seal, unseal } from '../../ground/crypto/seal.ts'
import { Secret } from '../../ground/crypto/secret.ts'

/** A public key as published (RFC 7517, RFC 7518 section 6.2). */
export interface PublicJwk {
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
  kid: string
  use: 'sig'
  alg: 'ES256'
}

export interface SigningKey {
  kid: string
  publicJwk: PublicJwk
  publicKey: KeyObject
  privateKey: KeyObject
  signsFrom: Date
  verifiesUntil: Date | null
}

/** A key as the database keeps it. */
export interface SealedSigningKey {
  kid: string
  publicJwk: PublicJwk
  sealedPrivate: Buffer
}

/** Makes an ES256 key (RFC 7518 section 3.4), its private half sealed under the current SECRET_KEY. */
export function makeSigningKey(keys: readonly DerivedKeys[]): SealedSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(x, y)
  const current = keys[0]
  if (current === undefined) throw new Error('there is no key to seal with')
  const plain = Secret.fromBytes(privateKey.export({ type: 'pkcs8', format: 'der' }))
  return {
    kid,
    publicJwk: { kty: 'EC', crv: 'P-256', x, y, kid, use: 'sig', alg: 'ES256' },
    sealedPrivate: seal(current.sealing, plain, kid),
  }
}

/** RFC 7638: the SHA-256 of the required members in alphabetical order. */
function thumbprint(x: string, y: string): string {
  const members = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y })
  return createHash('sha256').update(members).digest('base64url')
}

/** Opens a private key with whichever key of SECRET_KEY sealed it; null when none did. */
export function openPrivateKey(
  { kid, sealedPrivate }: Pick<SealedSigningKey, 'kid' | 'sealedPrivate'>,
  keys: readonly DerivedKeys[],
): KeyObject | null {
  for (const { sealing } of keys) {
    const plain = unseal(sealing, sealedPrivate, kid)
    if (plain !== null)
      return createPrivateKey({ key: plain.reveal(), type: 'pkcs8', format: 'der' })
  }
  return null
}

export function readPublicKey(publicJwk: PublicJwk): KeyObject {
  return createPublicKey({ key: { ...publicJwk }, format: 'jwk' })
}
