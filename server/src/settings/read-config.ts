/**
 * The configuration: the only reader of process.env.
 *
 * Every setting stands in `settings` with its form, its default and a sentence for the operator.
 * docs/configuration.md is printed from there, and `npm run check` compares the two.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { OperatorError } from '../ground/errors.ts'
import {
  asCacheUrl,
  asChoice,
  asDuration,
  asNames,
  asNetworks,
  asNumber,
  asOrigin,
  asOrigins,
  asPostgresUrl,
  asSecretKeys,
  asSocket,
  asText,
  Mistake,
} from './forms.ts'

interface Setting<T> {
  /** Reads the text, or throws a Mistake that completes the sentence "NAME …". */
  read(text: string): T
  /** The form, for the documentation: "a duration". */
  form: string
  /** What is read where nothing is set; null where that is decided at start. */
  fallback: string | null
  /** The default, for the documentation. */
  whenUnset: string
  /** What it is for. One or two sentences. */
  about: string
}

const withDefault = <T>(
  form: string,
  read: (text: string) => T,
  fallback: string,
  about: string,
): Setting<T> => ({ form, read, fallback, whenUnset: fallback === '' ? 'none' : fallback, about })

const optional = <T>(
  form: string,
  read: (text: string) => T,
  whenUnset: string,
  about: string,
): Setting<T | null> => ({ form, read, fallback: null, whenUnset, about })

export const settings = {
  SOCKET: withDefault('address:port', asSocket, '127.0.0.1:3000', 'Where Pie listens.'),
  SERVICE_DOMAIN: optional(
    'origin',
    asOrigin,
    'http://localhost and the port of SOCKET',
    'The public origin of the service, with its scheme: the issuer of its tokens. When it is https, Pie takes itself ' +
      'to be in production and refuses to start with a missing secret.',
  ),
  SERVICE_NAME: withDefault(
    'text',
    asText,
    'Pie',
    'What the service is called where people see it.',
  ),
  SECRET_KEY: optional(
    'keys, comma-separated',
    asSecretKeys,
    'made at the first start and kept in DATA_DIR',
    'What every key of Pie is derived from: 32 random characters or more. Of several, the first signs and all verify.',
  ),
  DATA_DIR: withDefault(
    'path',
    asText,
    '.pie',
    'Where Pie keeps what is not in a database of yours.',
  ),
  DATABASE_URL: optional(
    'Postgres address',
    asPostgresUrl,
    'a Postgres of its own in DATA_DIR',
    'The database, as the role that owns and migrates it; it needs CREATEROLE, not superuser. Postgres 15 or later.',
  ),
  DIRECT_DATABASE_URL: optional(
    'Postgres address',
    asPostgresUrl,
    'DATABASE_URL',
    'The same past a connection pooler, or through one in session mode: for migrations and for hearing of changes. ' +
      'Needed where DATABASE_URL leads to a pooler in transaction mode.',
  ),
  AUTH_DATABASE_URL: optional(
    'Postgres address',
    asPostgresUrl,
    'DATABASE_URL with a password derived from SECRET_KEY',
    'The database as the role pie_auth.',
  ),
  REQUEST_DATABASE_URL: optional(
    'Postgres address',
    asPostgresUrl,
    'DATABASE_URL with a password derived from SECRET_KEY',
    'The database as the role cream.',
  ),
  DATABASE_CONNECTIONS: withDefault(
    'number',
    asNumber(1, 1000),
    '10',
    'How many connections each of pie_auth and cream opens at most.',
  ),
  CACHE_URL: optional(
    'Valkey or Redis address',
    asCacheUrl,
    'none: each node caches for itself',
    'What all nodes share to answer faster and to count requests: valkey:// or redis://, with an s at the end for TLS. ' +
      'While it is away, Pie is slower and never wrong.',
  ),
  NEAR_CACHE_SIZE: withDefault(
    'number',
    asNumber(1, 10_000_000),
    '20000',
    'How many sessions each node keeps in memory; some 2 kB each.',
  ),
  REGISTRATION: withDefault(
    'open or closed',
    asChoice('open', 'closed'),
    'open',
    'Whether strangers may register.',
  ),
  HOOK_FAILURES: withDefault(
    'log or refuse',
    asChoice('log', 'refuse'),
    'log',
    'What becomes of a sign-up when a function of yours in pie_hooks fails: it goes on and the failure is logged, or it is refused.',
  ),
  PASSWORD_MIN_LENGTH: withDefault(
    'number',
    asNumber(8, 128),
    '10',
    'The least number of characters in a new password.',
  ),
  ACCESS_TOKEN_TTL: withDefault(
    'duration',
    asDuration,
    '30m',
    'How long an access token is good for.',
  ),
  REFRESH_TOKEN_TTL: withDefault(
    'duration',
    asDuration,
    '7d',
    'How long a session of tokens lives without being refreshed.',
  ),
  SESSION_TTL: withDefault(
    'duration',
    asDuration,
    '1d',
    "How long a browser's session lives without being used.",
  ),
  SESSION_RENEW_WINDOW: withDefault(
    'duration',
    asDuration,
    '7d',
    "For how long after that its next request renews a browser's session.",
  ),
  SESSION_ABSOLUTE_TTL: withDefault(
    'duration',
    asDuration,
    '90d',
    'How long any session lives at most.',
  ),
  CSRF_MODE: withDefault(
    'session or request',
    asChoice('session', 'request'),
    'session',
    'Whether a CSRF token is good as long as its session, or for one request.',
  ),
  ALLOWED_ORIGINS: withDefault(
    'origins, comma-separated',
    asOrigins,
    '',
    'Other origins whose pages may use Pie. Exact, with their schemes. Browsers send its cookie along only from the ' +
      'same site, as from https://app.example.com to https://auth.example.com; other pages use tokens.',
  ),
  GRAPHQL_SCHEMAS: withDefault(
    'schemas, comma-separated',
    asNames,
    '',
    'Schemas of your own that GraphQL shows beside pie_schema: of what is in them, what the database role of whoever ' +
      'asks may touch.',
  ),
  GRAPHQL_INTROSPECTION: optional(
    'on or off',
    asChoice('on', 'off'),
    'on; off when SERVICE_DOMAIN is https',
    'Whether GraphQL clients may ask what there is, and are told what they may have meant.',
  ),
  GRAPHQL_MAX_DEPTH: withDefault(
    'number',
    asNumber(1, 100),
    '12',
    'How many fields of a GraphQL operation may stand inside each other.',
  ),
  GRAPHQL_MAX_COST: withDefault(
    'number',
    asNumber(1, 100_000_000),
    '10000',
    'How many fields a GraphQL operation may be answered with, were every page of it full.',
  ),
  RATE_LIMIT_SCALE: withDefault(
    'number',
    asNumber(1, 1_000_000),
    '1',
    'What the limits of requests per network are multiplied by: more than 1 where many people share an address. ' +
      'Attempts to sign in are counted apart, and always the same.',
  ),
  TRUSTED_PROXIES: withDefault(
    'networks, comma-separated',
    asNetworks,
    '',
    'Proxies whose X-Forwarded-For is believed. From anybody else it is ignored.',
  ),
  LOG_LEVEL: withDefault(
    'level',
    asChoice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'The least serious lines that are logged. At debug there is one for every request.',
  ),
} satisfies Record<string, Setting<unknown>>

type SettingName = keyof typeof settings
type Values = { [Name in SettingName]: ReturnType<(typeof settings)[Name]['read']> | NullOf<Name> }
type NullOf<Name extends SettingName> =
  (typeof settings)[Name] extends Setting<infer T> ? Extract<T, null> : never

export interface Config extends Values {
  /** SERVICE_DOMAIN is https: weak choices are refused. */
  isProduction: boolean
  /** `pie start --dev`: changes are seen without a restart. */
  isDevelopment: boolean
}

// Read by a library when it is loaded, which warns where it is missing.
process.env['GRAPHILE_ENV'] ??= 'production'

type Environment = Record<string, string | undefined>

/** The environment, with what `.env` in the working directory adds to it. */
export function readEnvironment(): Environment {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}
  return { ...file, ...process.env }
}

/**
 * Reads the configuration.
 * @throws OperatorError listing every mistake by the setting's name
 */
export function readConfig(environment: Environment): Config {
  const mistakes: string[] = []
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, setting]: [string, Setting<unknown>]) => {
      const text = environment[name]?.trim() || setting.fallback
      try {
        return [name, text === null ? null : setting.read(text)]
      } catch (error) {
        if (!(error instanceof Mistake)) throw error
        mistakes.push(`${name} ${error.message}`)
        return [name, null]
      }
    }),
  ) as Values
  const config = {
    ...values,
    isProduction: values.SERVICE_DOMAIN?.startsWith('https:') ?? false,
    isDevelopment: false,
  }
  const isSecretMissing = config.SECRET_KEY === null && !environment['SECRET_KEY']?.trim()
  if (config.isProduction && isSecretMissing) {
    mistakes.push(
      'SECRET_KEY has to be set when SERVICE_DOMAIN is https. Make one: openssl rand -base64 33',
    )
  }
  if (mistakes.length > 0) {
    throw new OperatorError(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : 'mistakes'}:\n${mistakes
        .map((mistake) => `  ${mistake}`)
        .join('\n')}`,
    )
  }
  return config
}
