/**
 * Settings that Pie's correctness stands on, whatever the database or a role has been given. What is set as a
 * connection begins comes before all of that, and is what `reset all` goes back to.
 *
 * Left to the operator are the timeouts, and whether the server takes changes at all.
 */
const everywhere: Readonly<Record<string, string>> = {
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
const ownOnly: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  search_path: 'pg_catalog, pg_temp',
}

/** Whose SQL runs on a connection: Pie's own alone, or an application's too, which goes by its own time zone and path. */
export type RunsSql = 'own' | 'any'

export const pinnedSettings = (runs: RunsSql): Readonly<Record<string, string>> =>
  runs === 'own' ? { ...everywhere, ...ownOnly } : everywhere

/** As the startup packet takes them (PostgreSQL manual, 54.7, "options"). */
export const pinningOptions = (runs: RunsSql): string =>
  Object.entries(pinnedSettings(runs))
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\ ]/g, '\\$&')}`)
    .join(' ')

/** The same in a select list, until the transaction ends. */
export const pinningCalls = (runs: RunsSql): string =>
  Object.entries(pinnedSettings(runs))
    // No transaction can change how isolated it is once it has begun to look.
    .filter(([name]) => name !== 'default_transaction_isolation')
    .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`)
    .join(', ')
