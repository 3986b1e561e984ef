import { isSeen } from '../printable.ts'
import type { Reading } from './reading.ts'

/** Names that hold signs that are not seen: a line break, one that moves the cursor or turns the direction of a line. */
export async function readOddNames({ ask }: Reading): Promise<string[]> {
  const rows = await ask<{ name: string }>(`
    select distinct name from (
      ${Object.entries(names)
        .map(([catalog, name]) => `select ${name}::text as name from ${catalog}`)
        .join(' union all ')}
    ) as given where name ~ '[^ -~]'`)
  return rows.map(({ name }) => name).filter((name) => !isSeen(name))
}

/** Where names stand that a mend may name. */
const names = {
  pg_namespace: 'nspname',
  pg_class: 'relname',
  pg_attribute: 'attname',
  pg_proc: 'proname',
  'pg_proc, unnest(proargnames) as argument': 'argument',
  pg_type: 'typname',
  pg_policy: 'polname',
  pg_roles: 'rolname',
  pg_constraint: 'conname',
  pg_trigger: 'tgname',
  pg_rewrite: 'rulename',
  pg_extension: 'extname',
  pg_publication: 'pubname',
  pg_foreign_server: 'srvname',
  pg_foreign_data_wrapper: 'fdwname',
  pg_language: 'lanname',
  pg_collation: 'collname',
  pg_database: 'datname',
}
