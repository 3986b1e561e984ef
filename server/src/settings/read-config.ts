/**
 * The settings, a file per subject. Each setting has its form, its default and a sentence for the operator:
 * docs/configuration.md and .env.example are printed from there, and `npm run check` compares.
 */
import { OperatorError } from '../ground/errors.ts'
import { accountsSettings } from './accounts.ts'
import { cacheSettings } from './cache.ts'
import { databaseSettings } from './database.ts'
import type { Environment } from './environment.ts'
import { Mistake } from './forms.ts'
import { graphqlSettings } from './graphql.ts'
import { httpSettings } from './http.ts'
import { operationsSettings } from './operations.ts'
import { passwordsSettings } from './passwords.ts'
import { secretsSettings } from './secrets.ts'
import { sessionsSettings } from './sessions.ts'
import type { Setting } from './setting.ts'
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

type Settings = Readonly<Record<string, Setting<unknown>>>
export type ValuesOf<Some extends Settings> = {
  [Name in keyof Some]: ReturnType<Some[Name]['read']>
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

/** Reads some settings, and what is wrong with them: each a sentence that begins with a name. */
export function readSettings<Some extends Settings>(
  some: Some,
  environment: Environment,
): { values: ValuesOf<Some>; mistakes: string[] } {
  const mistakes: string[] = []
  const entries = Object.entries(some).map(([name, setting]) => {
    const text = environment[name]?.trim() || setting.fallback
    try {
      return [name, text === null ? null : setting.read(text)]
    } catch (error) {
      if (!(error instanceof Mistake)) throw error
      mistakes.push(`${name} ${error.message}`)
      return [name, null]
    }
  })
  return { values: Object.fromEntries(entries), mistakes }
}

/** @throws OperatorError that lists them, where there are any */
export function refuseMistakes(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return
  throw new OperatorError(
    `The configuration has ${mistakes.length === 1 ? 'a mistake' : 'mistakes'}:\n${mistakes
      .map((mistake) => `  ${mistake}`)
      .join('\n')}`,
  )
}
