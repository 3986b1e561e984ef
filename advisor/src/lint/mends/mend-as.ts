import type { Catalog } from '../../catalog/catalog.ts'
import { inheritedBy } from '../rights/role-rights.ts'

/** Begins a mend that the owner of the database cannot run. */
export const AS_SUPERUSER = '-- as a superuser'

/** The superuser that the server was made with, whose everything of Postgres' own is. */
export const FIRST_SUPERUSER = 10

/**
 * A mend, with who has to run it in its first line where that is somebody else than the owner of the database, who runs
 * all others: then `--mends` keeps it apart.
 *
 * @param owners roles of which one has to have the rights of each
 */
export function mendAs(catalog: Catalog, owners: readonly number[], mend: string): string {
  const { owner } = catalog.database
  if (catalog.roles.get(owner)?.isSuperuser === true) return mend
  const rights = inheritedBy(catalog, owner)
  const others = [...new Set(owners)].filter((role) => !rights.has(role))
  const [other] = others
  if (other === undefined) return mend
  const role = catalog.roles.get(other)
  const isAnyOther =
    others.length > 1 || role === undefined || role.isSuperuser || role.sql.includes('\n')
  return `${isAnyOther ? AS_SUPERUSER : `-- as ${role.sql}`}\n${mend}`
}

/** Whether somebody else than the owner of the database has to run it. */
export const isForAnother = (mend: string): boolean => mend.startsWith('-- as ')
