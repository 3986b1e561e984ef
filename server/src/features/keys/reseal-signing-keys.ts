import type pg from 'pg'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { seal } from '../../ground/crypto/seal.ts'
import { Secret } from '../../ground/crypto/secret.ts'
import { openPrivateKey, type PublicJwk } from './signing-key.ts'

interface SealedRow {
  kid: string
  public_jwk: PublicJwk
  sealed_private: Buffer
}

/**
 * Seals the signing keys under the first key of SECRET_KEY, those that another one of it had sealed.
 * Returns how many.
 */
export async function resealSigningKeys(
  owner: pg.Client,
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
): Promise<number> {
  const { rows } = await owner.query<SealedRow>('select * from pie_private.list_signing_keys()')
  let resealed = 0
  for (const { kid, public_jwk: publicJwk, sealed_private: sealedPrivate } of rows) {
    const sealedKey = { kid, publicJwk, sealedPrivate }
    if (openPrivateKey(sealedKey, [keys[0]]) !== null) continue
    const privateKey = openPrivateKey(sealedKey, keys)
    if (privateKey === null) continue
    const plain = Secret.fromBytes(privateKey.export({ type: 'pkcs8', format: 'der' }))
    await owner.query(
      'update pie_private.signing_keys set sealed_private = $2 where kid = $1 and sealed_private = $3',
      [kid, seal(keys[0].sealing, plain, kid), sealedPrivate],
    )
    resealed += 1
  }
  return resealed
}
