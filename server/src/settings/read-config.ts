/**
 * The settings, a file per subject. Each setting has its form, its default and a sentence for the operator:
 * docs/configuration.md and .env.example are printed from there, and `npm run check` compares.
 */
import { accountsSettings } from './accounts.ts'
import { cacheSettings } from './cache.ts'
import { databaseSettings } from './database.ts'
import './environment.ts'
import type { Environment } from './environment.ts'
import { graphqlSettings } from './graphql.ts'
import { httpSettings } from './http.ts'
import { operationsSettings } from './operations.ts'
import { passwordsSettings } from './passwords.ts'
import { readSettings, refuseMistakes, type ValuesOf } from './read-settings.ts'
import { secretsSettings } from './secrets.ts'
import { sessionsSettings } from './sessions.ts'
import { tokensSettings } from './tokens.ts'

export const settings = {
  ...httpSettings,
  ...secretsSettings,
  ...databaseSettings,
  ...cacheSettings,
  ...accountsSettings,
  ...passwordsSettings,
  ...sessionsSettings,
  ...tokensSettings,
  ...graphqlSettings,
  ...operationsSettings,
}

export interface Config extends ValuesOf<typeof settings> {
  /** SERVICE_DOMAIN is https: weak choices are refused. */
  isProduction: boolean
  /** `pie start --dev`: changes are seen without a restart. */
  isDevelopment: boolean
}

/**
 * Reads the configuration.
 * @throws OperatorError listing every mistake by the setting's name
 */
export function readConfig(environment: Environment): Config {
  const { values, mistakes } = readSettings(settings, environment)
  const isProduction = values.SERVICE_DOMAIN?.startsWith('https:') ?? false
  const isSecretMissing = values.SECRET_KEY === null && !environment['SECRET_KEY']?.trim()
  if (isProduction && isSecretMissing) {
    mistakes.push(
      'SECRET_KEY has to be set when SERVICE_DOMAIN is https. Make one: openssl rand -base64 33',
    )
  }
  refuseMistakes(mistakes)
  return { ...values, isProduction, isDevelopment: false }
}
