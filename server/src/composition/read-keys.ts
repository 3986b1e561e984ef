import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type DerivedKeys, deriveKeys } from '../ground/crypto/derive-keys.ts'
import { keepSecretKey } from '../ground/crypto/keep-secret-key.ts'
import { OperatorError } from '../ground/errors.ts'
import { withFiles } from '../ground/system-error.ts'
import type { Config } from '../settings/read-config.ts'

export type Keys = readonly [DerivedKeys, ...DerivedKeys[]]

/**
 * The keys of SECRET_KEY, or of the one that is kept in DATA_DIR beside the embedded database.
 * @throws OperatorError when that one is gone, and the database is still there
 */
export async function readKeys({
  SECRET_KEY,
  DATA_DIR,
}: Pick<Config, 'SECRET_KEY' | 'DATA_DIR'>): Promise<Keys> {
  const file = join(DATA_DIR, 'secret-key')
  if (SECRET_KEY === null && !existsSync(file) && existsSync(join(DATA_DIR, 'postgres', 'data')))
    throw new OperatorError(
      `${file} is gone, the SECRET_KEY of the database beside it. Put it back, or set SECRET_KEY to what was in it. ` +
        'Where it is lost for good, set SECRET_KEY to a new one (openssl rand -base64 33), and run pie secret rotate --lost.',
    )
  const secretKeys =
    SECRET_KEY ??
    (await withFiles('Set DATA_DIR to a directory that Pie may write.', async () => [
      await keepSecretKey(DATA_DIR),
    ]))
  return deriveKeys(secretKeys) as [DerivedKeys, ...DerivedKeys[]]
}
