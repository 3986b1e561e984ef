import { type DerivedKeys, deriveKeys } from '../ground/crypto/derive-keys.ts'
import { keepSecretKey } from '../ground/crypto/keep-secret-key.ts'
import type { Config } from '../settings/read-config.ts'

export type Keys = readonly [DerivedKeys, ...DerivedKeys[]]

/** The keys of SECRET_KEY, or of the one that is kept in DATA_DIR. */
export async function readKeys(config: Pick<Config, 'SECRET_KEY' | 'DATA_DIR'>): Promise<Keys> {
  const secretKeys = config.SECRET_KEY ?? [await keepSecretKey(config.DATA_DIR)]
  return deriveKeys(secretKeys) as [DerivedKeys, ...DerivedKeys[]]
}
