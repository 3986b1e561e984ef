import type pg from 'pg'
import { OperatorError } from '../errors.ts'

/**
 * A backup is restored into a database in which nothing is.
 * @throws OperatorError when there is something, or what is made there would be given to others
 */
export async function checkNoData(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ name: string; found: string | null; defaults: boolean }>(
    `select current_database() as name, coalesce(
        (select format('the schema %s', nspname) from pg_catalog.pg_namespace
         where nspname in ('pie_schema', 'pie_private', 'pie_hooks') order by 1 limit 1),
        (select format('the table %s', pg_class.oid::regclass) from pg_catalog.pg_class
         join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
         where relkind in ('r', 'p', 'f', 'm') and nspname !~ '^pg_' and nspname <> 'information_schema'
           and not exists (
             select from pg_catalog.pg_depend
             where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
         order by 1 limit 1)) as found,
       exists (select from pg_catalog.pg_default_acl where pg_has_role(defaclrole, 'usage')) as defaults`,
  )
  const { name, found, defaults } = rows[0] ?? { name: '', found: null, defaults: false }
  if (found !== null)
    throw new OperatorError(
      `There is something in the database ${name} already (${found}), and a backup is restored over nothing. ` +
        'Make an empty one, and set DATABASE_URL to it.',
    )
  if (defaults)
    throw new OperatorError(
      `The owner has default privileges in the database ${name}, by which others would be given what is restored. ` +
        'Make a database without (\\ddp in psql shows them), and set DATABASE_URL to it.',
    )
}
