import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { OperatorError } from '../../ground/errors.ts'
import { openPrivateKey, type SealedSigningKey } from './signing-key.ts'

/**
 * Proves that a SECRET_KEY is the one that some signing keys were sealed under.
 * @throws OperatorError when one of them is not opened
 */
export function checkOpensKeys(
  sealed: readonly Pick<SealedSigningKey, 'kid' | 'sealedPrivate'>[],
  keys: readonly DerivedKeys[],
): void {
  const closed = sealed.find((key) => openPrivateKey(key, keys) === null)
  if (closed === undefined) return
  throw new OperatorError(
    `This SECRET_KEY does not open the signing key ${closed.kid} of the backup: another one has sealed it. ` +
      'Nothing was restored. Set SECRET_KEY to the one of the Pie that the backup is of; if it has been changed since, ' +
      'to both, with a comma between them.',
  )
}
