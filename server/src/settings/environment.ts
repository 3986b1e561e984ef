/** The only reader of process.env. */
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

// Read by a library when it is loaded, which warns where it is missing.
process.env['GRAPHILE_ENV'] ??= 'production'

export type Environment = Record<string, string | undefined>

/** The environment, with what `.env` in the working directory adds to it. */
export function readEnvironment(): Environment {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}
  return { ...file, ...process.env }
}
