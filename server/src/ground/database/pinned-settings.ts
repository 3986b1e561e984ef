export type Settings = Readonly<Record<string, string>>

/**
 * Settings that Pie stands on, whatever the database or a role has been given: a role may change its own, and so may SQL
 * that got in through a hole. What is set as a connection begins comes before all of that, and is what `reset all` goes
 * back to.
 *
 * Whether the server takes changes at all is left to the operator.
 */
const everywhere: Settings = {
  // What the driver reads of values, and how it writes them.
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  // What a statement means. Functions that lock look again after they have waited, and see what was done meanwhile.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  transform_null_equals: 'off',
  row_security: 'on',
  restrict_nonsystem_relation_kind: '',
  // What becomes of a mistake: it is told, and ends nothing.
  exit_on_error: 'off',
  client_min_messages: 'notice',
  'plpgsql.extra_errors': 'none',
  'plpgsql.extra_warnings': 'none',
  // Not one that somebody has given the login role to begin with.
  role: 'none',
}

/** Where no SQL runs but Pie's own, all of which says its schemas. */
const ownOnly: Settings = {
  timezone: 'UTC',
  search_path: 'pg_catalog, pg_temp',
}

/**
 * What a role gets that has been set so that nothing it does comes to its end: by itself, or by SQL that got in through a
 * hole. What an operator may have meant stays.
 */
export const livableTimeouts: Settings = {
  statement_timeout: '15s',
  idle_in_transaction_session_timeout: '15s',
  lock_timeout: '0',
  idle_session_timeout: '0',
  local_preload_libraries: '',
}

/**
 * Whose SQL runs on a connection: Pie's own alone; an application's too, which goes by its own time zone and path; or what
 * the owner runs, for as long as it takes.
 */
export type RunsSql = 'own' | 'any' | 'owners'

/** @param given "options" of the address, as libpq has them: `-c statement_timeout=60s` */
export function pinnedSettings(runs: RunsSql, given = ''): Settings {
  return {
    ...(runs !== 'owners' && readOptions(given)),
    ...everywhere,
    ...(runs === 'own' && ownOnly),
  }
}

function readOptions(given: string): Settings {
  const options = given.matchAll(/(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)/g)
  return Object.fromEntries(
    [...options].map(([, name = '', value = '']) => [
      name.replaceAll('-', '_').toLowerCase(),
      value.replaceAll(/\\(.)/g, '$1'),
    ]),
  )
}

/** As the startup packet takes them (PostgreSQL manual, 54.7, "options"). */
export const pinningOptions = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ')

/** The same in a select list, until the transaction ends. */
export const pinningCalls = (settings: Settings): string =>
  Object.entries(settings)
    // No transaction can change how isolated it is once it has begun to look; and libraries are loaded at the beginning.
    .filter(
      ([name]) => !['default_transaction_isolation', 'local_preload_libraries'].includes(name),
    )
    .map(([name, value]) => `pg_catalog.set_config(${quote(name)}, ${quote(value)}, true)`)
    .join(', ')

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
