import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../ground/crypto/secret.ts'
import { OperatorError } from '../ground/errors.ts'
import { asSecretKeys, Mistake } from '../settings/forms.ts'
import type { Config } from '../settings/read-config.ts'

export interface FoundSecretKey {
  keys: Secret[]
  /** Somebody has typed it, and it is kept nowhere yet. */
  isTyped: boolean
}

/**
 * The SECRET_KEY of a Pie that is not there any more: as it is set, or kept in DATA_DIR, or typed. None
 * is made.
 *
 * @param ask asks whoever is at the terminal
 */
export async function findSecretKey(
  config: Pick<Config, 'SECRET_KEY' | 'DATA_DIR'>,
  ask: () => Promise<string>,
): Promise<FoundSecretKey> {
  if (config.SECRET_KEY !== null) return { keys: config.SECRET_KEY, isTyped: false }
  const kept = await readFile(join(config.DATA_DIR, 'secret-key'), 'utf8').catch(() => null)
  if (kept !== null) return { keys: [Secret.fromText(kept.trim())], isTyped: false }
  return { keys: [readTyped(await ask())], isTyped: true }
}

function readTyped(text: string): Secret {
  try {
    const [key, ...others] = asSecretKeys(text.trim())
    if (others.length === 0) return key
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    throw new OperatorError(`SECRET_KEY ${error.message}`)
  }
  throw new OperatorError('These are several keys. Set them: SECRET_KEY=…,… pie restore …')
}
