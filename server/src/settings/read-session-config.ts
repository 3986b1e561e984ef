import type { Secret } from '../ground/crypto/secret.ts'
import { cacheSettings } from './cache.ts'
import { databaseSettings } from './database.ts'
import type { Environment } from './environment.ts'
import { httpSettings } from './http.ts'
import { findMisspelt, readSettings, refuseMistakes, type ValuesOf } from './read-settings.ts'
import { secretsSettings } from './secrets.ts'
import { sessionsSettings } from './sessions.ts'

/** Of all settings those that reading a session takes. The owner's address is not among them. */
const { SERVICE_DOMAIN, SERVICE_NAME, ALLOWED_ORIGINS } = httpSettings
const { AUTH_DATABASE_URL, REQUEST_DATABASE_URL, DIRECT_DATABASE_URL, DATABASE_CONNECTIONS } =
  databaseSettings
const settings = {
  SECRET_KEY: secretsSettings.SECRET_KEY,
  SERVICE_DOMAIN,
  SERVICE_NAME,
  ALLOWED_ORIGINS,
  AUTH_DATABASE_URL,
  REQUEST_DATABASE_URL,
  DIRECT_DATABASE_URL,
  DATABASE_CONNECTIONS,
  ...cacheSettings,
  ...sessionsSettings,
}

/** What has no default where the server is another's. */
interface Required {
  SECRET_KEY: [Secret, ...Secret[]]
  SERVICE_DOMAIN: string
  AUTH_DATABASE_URL: Secret
  REQUEST_DATABASE_URL: Secret
}

export type SessionConfig = Omit<ValuesOf<typeof settings>, keyof Required> &
  Required & {
    /** What was probably not meant so; each a sentence. */
    warnings: string[]
  }

const required: Record<keyof Required, string> = {
  SECRET_KEY: 'has to be the one of the Pie server',
  SERVICE_DOMAIN:
    'has to be the origin of the Pie server, which is in its tokens and decides its cookie',
  AUTH_DATABASE_URL:
    'has to be the address as pie_auth, without its password: postgres://pie_auth@host:5432/database',
  REQUEST_DATABASE_URL:
    'has to be the address as cream, without its password: postgres://cream@host:5432/database',
}

/** @throws OperatorError listing every mistake by the setting's name */
export function readSessionConfig(environment: Environment): SessionConfig {
  const { values, mistakes, warnings } = readSettings(settings, environment)
  for (const [name, fault] of Object.entries(required))
    if (!environment[name]?.trim()) mistakes.push(`${name} ${fault}`)
  refuseMistakes(mistakes)
  warnings.push(...findMisspelt(Object.keys(settings), environment))
  return { ...values, warnings } as SessionConfig
}
