import type { Catalog } from '../catalog/catalog.ts'
import { closureOf, rolesOf } from '../catalog/memberships.ts'
import { everybody } from './exposure.ts'

/** Somebody as whom something is read: a role, or everybody, which is a role without any grant of its own. */
export interface Standing {
  /** 0 for everybody. */
  oid: number
  name: string
  /** The roles whose rights and policies it has without asking, itself and PUBLIC among them. */
  has: ReadonlySet<number>
  isSuperuser: boolean
  bypassesRowSecurity: boolean
  /** What the roles pg_read_all_data, pg_write_all_data and pg_maintain give, on everything. */
  readsAll: boolean
  writesAll: boolean
  maintainsAll: boolean
}

export interface Standings {
  of(oid: number): Standing
  /** Whether a role has the rights of another. */
  hasRightsOf(standing: Standing, role: number): boolean
}

export function standingsOf(catalog: Catalog): Standings {
  const known = new Map<number, Standing>()
  const oids = new Map([...catalog.roles.values()].map(({ name, oid }) => [name, oid]))
  const ofDatabaseOwner = oids.get('pg_database_owner')
  const find = (oid: number): Standing => {
    const role = catalog.roles.get(oid)
    const has = rolesOf(catalog.roles, oid)
    // Whoever owns the database is in pg_database_owner, without a membership that could be read.
    if (ofDatabaseOwner !== undefined && has.has(catalog.database.owner))
      for (const more of closureOf(catalog.roles, [ofDatabaseOwner], ({ inherit }) => inherit))
        has.add(more)
    const isIn = (name: string) => has.has(oids.get(name) ?? -1)
    return {
      oid,
      name: role?.name ?? (oid === 0 ? everybody : String(oid)),
      has,
      isSuperuser: role?.isSuperuser === true,
      bypassesRowSecurity: role?.bypassesRowSecurity === true,
      readsAll: isIn('pg_read_all_data'),
      writesAll: isIn('pg_write_all_data'),
      maintainsAll: isIn('pg_maintain'),
    }
  }
  return {
    of: (oid) => {
      const standing = known.get(oid) ?? find(oid)
      known.set(oid, standing)
      return standing
    },
    hasRightsOf: ({ isSuperuser, has }, role) => isSuperuser || has.has(role),
  }
}

export function namesOf(catalog: Catalog, oids: Iterable<number>, but: number): string[] {
  return [...oids]
    .filter((oid) => oid !== but && oid !== 0)
    .map((oid) => catalog.roles.get(oid)?.name ?? String(oid))
    .sort()
}
