import pg from 'pg'
import { OperatorError } from '../errors.ts'
import type { BackedUpRole } from './read-database-roles.ts'

/**
 * Makes the roles of a backup that this server does not have, each without a password, and without a
 * right beyond the database: none is a superuser, sees past row-level security, or makes roles.
 *
 * @returns the names of those that were made
 * @throws OperatorError when this role may not make them
 */
export async function makeRoles(
  owner: pg.Client,
  roles: readonly Pick<BackedUpRole, 'name' | 'attributes'>[],
): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>(
    'select rolname as name from pg_catalog.pg_roles where rolname = any ($1)',
    [roles.map(({ name }) => name)],
  )
  const made: string[] = []
  for (const { name, attributes } of roles) {
    if (rows.some((there) => there.name === name)) continue
    const { login, inherit, connection_limit } = attributes
    try {
      await owner.query(
        `create role ${pg.escapeIdentifier(name)} nosuperuser nocreatedb nocreaterole noreplication nobypassrls
           ${login ? 'login' : 'nologin'} ${inherit ? 'inherit' : 'noinherit'} connection limit ${Number(connection_limit)}`,
      )
      made.push(name)
    } catch (cause) {
      await dropRoles(owner, made)
      throw new OperatorError(
        `Could not make the database role ${name}: ${(cause as Error).message}. The role of DATABASE_URL needs CREATEROLE. ` +
          'Nothing was restored.',
        { cause },
      )
    }
  }
  return made
}

/** Takes back what `makeRoles` has made, where nothing came of it. */
export async function dropRoles(owner: pg.Client, names: readonly string[]): Promise<void> {
  for (const name of names) await owner.query(`drop role ${pg.escapeIdentifier(name)}`)
}
