import { OperatorError } from '../errors.ts'
import type { Statement } from './pipeline.ts'

/** Which database answers: its name and number, Pie's own table in it, and when its server was started. */
export const identify: Statement = {
  name: '',
  text: `
    select pg_catalog.current_database() as name, pg_catalog.concat_ws(' ',
      (select pg_database.oid from pg_catalog.pg_database where pg_database.datname = pg_catalog.current_database()),
      (select pg_class.oid from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
       where pg_namespace.nspname = 'pie_private' and pg_class.relname = 'migrations'),
      extract(epoch from pg_catalog.pg_postmaster_start_time())) as identity`,
  values: [],
}

export interface DatabaseIdentity {
  name: string
  identity: string
}

/**
 * All addresses have to lead to one database: one that leads elsewhere would be migrated, or answer for it.
 * @param found what answered, by the setting that names it
 * @throws OperatorError
 */
export function checkSameDatabase(found: Readonly<Record<string, DatabaseIdentity>>): void {
  const [[setting, first] = [], ...others] = Object.entries(found)
  const other = others.find(([, { identity }]) => identity !== first?.identity)
  if (other === undefined) return
  throw new OperatorError(
    `${setting} and ${other[0]} lead to two databases, ${first?.name} and ${other[1].name}, or to two servers. Nothing was changed.`,
  )
}
