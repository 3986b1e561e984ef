/**
 * The settings, a file per subject. Each setting has its form, its default and a sentence for the operator:
 * docs/configuration.md and .env.example are printed from there, and `npm run check` compares.
 */
import { accountsSettings } from './accounts.ts'
import { cacheSettings } from './cache.ts'
import { databaseSettings } from './database.ts'
// Sets what a library reads of the environment when it is loaded.
import './environment.ts'
import type { Environment } from './environment.ts'
import { graphqlSettings } from './graphql.ts'
import { httpSettings } from './http.ts'
import { isPublic } from './is-public.ts'
import { operationsSettings } from './operations.ts'
import { passwordsSettings } from './passwords.ts'
import { findMisspelt, readSettings, refuseMistakes, type ValuesOf } from './read-settings.ts'
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
  /** What was probably not meant so; each a sentence. */
  warnings: string[]
}

export interface ConfigOptions {
  /** Whether the environment is another program's too: a name that is nearly a setting's is then no mistake. */
  isShared?: boolean
  /** False for what only looks at a database. */
  isKeyNeeded?: boolean
}

/**
 * Reads the configuration.
 * @throws OperatorError listing every mistake by the setting's name
 */
export function readConfig(
  environment: Environment,
  { isShared = false, isKeyNeeded = true }: ConfigOptions = {},
): Config {
  const { values, mistakes, warnings } = readSettings(settings, environment)
  const isSet = (name: keyof typeof settings) => Boolean(environment[name]?.trim())
  const isProduction = values.SERVICE_DOMAIN?.startsWith('https:') ?? false
  const misspelt = findMisspelt(Object.keys(settings), environment)
  const unmeant = isShared ? warnings : mistakes
  unmeant.push(...misspelt)
  mistakes.push(...mistakesOfDatabase(isSet), ...mistakesOfMetrics(values))
  if (isKeyNeeded && !isSet('SECRET_KEY')) mistakes.push(...mistakeOfNoKey(isProduction, isSet))
  refuseMistakes(mistakes)
  if (!isShared && isProduction) warnings.push(...warningsOfMetrics(values))
  return { ...values, isProduction, isDevelopment: false, warnings }
}

type IsSet = (name: keyof typeof settings) => boolean

/** Without the owner's address, those of both logins are needed: half of them would be a new database of Pie's own. */
function mistakesOfDatabase(isSet: IsSet): string[] {
  if (isSet('DATABASE_URL')) return []
  const logins = ['AUTH_DATABASE_URL', 'REQUEST_DATABASE_URL'] as const
  const missing = logins.filter((name) => !isSet(name))
  if (missing.length === 0) return []
  const given = [...logins, 'DIRECT_DATABASE_URL' as const].find(isSet)
  return given === undefined
    ? []
    : [
        `${missing.join(' and ')} ${missing.length === 1 ? 'has' : 'have'} to be set beside ${given}, or else DATABASE_URL.`,
      ]
}

/** A value with a mistake of its own is null here. */
function mistakesOfMetrics({
  METRICS_TOKEN: token,
  METRICS_SOCKET: watched,
  SECRET_KEY: keys,
  SOCKET: served,
}: Partial<ValuesOf<typeof settings>>): string[] {
  const mistakes: string[] = []
  if (token && keys?.some((key) => key.revealText() === token.revealText()))
    mistakes.push(
      'METRICS_TOKEN is SECRET_KEY: whoever reads the metrics would hold every key of Pie.',
    )
  // Whoever listens on every address has the port of each of them.
  const isEvery = ({ host }: { host: string }) => /^(0\.0\.0\.0|[0:]+)$/.test(host)
  if (
    watched &&
    served &&
    watched.port !== 0 &&
    watched.port === served.port &&
    (watched.host === served.host || isEvery(watched) || isEvery(served))
  )
    mistakes.push('METRICS_SOCKET is where SOCKET is: give it another port.')
  return mistakes
}

function warningsOfMetrics({
  METRICS_TOKEN: token,
  METRICS_SOCKET: watched,
}: ValuesOf<typeof settings>): string[] {
  if (token !== null || watched === null || !isPublic(watched.host)) return []
  return [
    `METRICS_SOCKET has ${watched.host}, which is no private address, and there is no METRICS_TOKEN: see that a firewall or a ` +
      'network of containers keeps others away, or set METRICS_TOKEN too',
  ]
}

function mistakeOfNoKey(isProduction: boolean, isSet: IsSet): string[] {
  const setting = (['DATABASE_URL', 'AUTH_DATABASE_URL'] as const).find(isSet)
  const why =
    setting !== undefined ? `${setting} is set` : isProduction ? 'SERVICE_DOMAIN is https' : null
  if (why === null) return []
  return [
    `SECRET_KEY has to be set when ${why}: the same on every node and for every command. For a new database make ` +
      'one: openssl rand -base64 33. What Pie has made for itself until now is in the file secret-key of DATA_DIR.',
  ]
}
