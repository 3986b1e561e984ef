import type pg from 'pg'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { seal } from '../../ground/crypto/seal.ts'
import { Secret } from '../../ground/crypto/secret.ts'
import { listSealedKeys } from './list-sealed-keys.ts'
import { openPrivateKey } from './signing-key.ts'

/**
 * Seals the signing keys under the first key of SECRET_KEY, those that another one of it had sealed.
 * Returns how many.
 */
export async function resealSigningKeys(
  owner: pg.Client,
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
): Promise<number> {
  let resealed = 0
  for (const sealedKey of await listSealedKeys(owner)) {
    const { kid, sealedPrivate } = sealedKey
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
