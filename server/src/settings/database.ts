/** Where Postgres is, and as whom Pie connects. */
import { asNumber, asPostgresUrl } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const databaseSettings = {
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
}
