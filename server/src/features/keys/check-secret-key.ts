import type pg from 'pg'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { OperatorError } from '../../ground/errors.ts'
import { listSealedKeys } from './list-sealed-keys.ts'
import { openPrivateKey } from './signing-key.ts'

/** Whether SECRET_KEY is the one of a database: opens what is sealed there, opens nothing of it, or there is nothing yet. */
export type KeyVerdict = 'proven' | 'wrong' | 'unknown'

/** Any key of SECRET_KEY that opens any signing key in use is the right one, or was. */
export async function judgeSecretKey(
  owner: pg.ClientBase,
  keys: readonly DerivedKeys[],
): Promise<KeyVerdict> {
  const { rows: there } = await owner.query<{ there: boolean }>(
    `select to_regclass('pie_private.signing_keys') is not null as there`,
  )
  if (there[0]?.there !== true) return 'unknown'
  const sealed = await listSealedKeys(owner)
  if (sealed.length === 0) return 'unknown'
  const isOpened = sealed.some((key) => openPrivateKey(key, keys) !== null)
  return isOpened ? 'proven' : 'wrong'
}

/**
 * To be called before anything is written: what is written under another key locks every node out that has the right one.
 * @throws OperatorError
 */
export async function checkSecretKey(
  owner: pg.ClientBase,
  keys: readonly DerivedKeys[],
): Promise<void> {
  if ((await judgeSecretKey(owner, keys)) !== 'wrong') return
  throw new OperatorError(
    'This SECRET_KEY is not the one of this database: it opens none of the signing keys there. Nothing was changed. Set the ' +
      'SECRET_KEY that the running nodes have, or add it after a comma. Where it is lost for good, pie secret rotate --lost ' +
      'makes this one its key and signs everybody out.',
  )
}
