/** Where Postgres is, and as whom Pie connects. */
import { asDurationOf, asNumber, asPostgresUrl } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const databaseSettings = {
  DATABASE_URL: optional(
    'Postgres address',
    asPostgresUrl,
    'a Postgres of its own in DATA_DIR',
    'The database, as the role that owns and migrates it; it needs CREATEROLE, not superuser. Postgres 15 or later. In any form ' +
      'that libpq takes, with what of its parameters Pie can honour; of several hosts, the first that is a primary (target_session_attrs: any, read-write or primary). What it ' +
      'leaves out is libpq’s default, except for PGUSER, PGPASSWORD and ~/.pgpass: nothing else is taken from the environment.',
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
    'The database as the role pie_auth; without a password in it, the one that SECRET_KEY makes is used. With this and ' +
      'REQUEST_DATABASE_URL, a node needs no DATABASE_URL, and migrates nothing.',
  ),
  REQUEST_DATABASE_URL: optional(
    'Postgres address',
    asPostgresUrl,
    'DATABASE_URL with a password derived from SECRET_KEY',
    'The database as the role cream; the same.',
  ),
  DATABASE_CONNECTIONS: withDefault(
    'number',
    asNumber(1, 1000),
    '10',
    'How many connections each of pie_auth and cream opens at most.',
  ),
  REQUEST_TIME_LIMIT: withDefault(
    'duration',
    asDurationOf(20, '20s'),
    '60s',
    'How long a statement of a request may run, or its transaction stand still, before a node ends its connection: also where SQL ' +
      'has taken statement_timeout away. More where statements of your own take longer. Pie itself waits 20s for an answer.',
  ),
}
