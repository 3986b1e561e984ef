/** The only reader of process.env, and of `.env`. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { OperatorError } from '../ground/errors.ts'

// Read by a library when it is loaded, which warns where it is missing.
process.env['GRAPHILE_ENV'] ??= 'production'

export type Environment = Record<string, string | undefined>

/**
 * The environment, with what `.env` in the working directory adds to it.
 * @throws OperatorError for a `.env` that is there and cannot be read
 */
export function readEnvironment(): Environment {
  return { ...readEnvFile(), ...process.env }
}

function readEnvFile(): Environment {
  let bytes: Buffer
  try {
    bytes = readFileSync('.env')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    const why = code === 'EISDIR' ? 'it is a directory' : `may this user read it? (${code})`
    throw new OperatorError(`.env cannot be read: ${why}`, { cause })
  }
  return parseEnv(decode(bytes))
}

/** Editors and shells of Windows write a byte-order mark, which is left out, or UTF-16, where every other byte is 0. */
function decode(bytes: Buffer): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new OperatorError('.env cannot be read as UTF-8: save it in that encoding.', { cause })
  }
  if (text.includes('\0'))
    throw new OperatorError('.env cannot be read as UTF-8: save it in that encoding.')
  return text
}
