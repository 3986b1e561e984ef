import type { Catalog } from '../catalog/catalog.ts'
import { canBecome, closureOf } from '../catalog/memberships.ts'
import { type ExposedRole, everybody } from './exposure.ts'
import { mayCreateIn } from './privileges.ts'
import { namesOf, type Standing } from './standing.ts'

export const exposeRoles = (catalog: Catalog, roles: readonly Standing[]): ExposedRole[] =>
  roles.map((standing) => exposeRole(catalog, standing))

function exposeRole(catalog: Catalog, standing: Standing): ExposedRole {
  const { oid, has, isSuperuser } = standing
  const creates_schemas = mayCreateIn(standing, catalog.database)
  const role = catalog.roles.get(oid)
  if (role === undefined) return { ...nobody, creates_schemas }
  // A superuser has, becomes and grants all: a list would say no more.
  const named = (oids: Iterable<number>) => (isSuperuser ? [] : namesOf(catalog, oids, oid))
  const become = canBecome(catalog.roles, oid)
  // Before 16 whoever may make roles may grant any that is no superuser.
  const grantable =
    catalog.version < 160000 && role.createsRoles
      ? [...catalog.roles.values()].filter((other) => !other.isSuperuser).map((other) => other.oid)
      : [...closureOf(catalog.roles, [oid], ({ inherit }) => inherit)].flatMap((one) =>
          (catalog.roles.get(one)?.memberships ?? [])
            .filter(({ admin }) => admin)
            .map((membership) => membership.role),
        )
  return {
    name: role.name,
    is_superuser: role.isSuperuser,
    bypasses_row_security: role.bypassesRowSecurity,
    inherits: named(has),
    may_become: named(become),
    may_grant: named(new Set(grantable)),
    can_login: role.canLogin,
    creates_roles: role.createsRoles,
    creates_databases: role.createsDatabases,
    creates_schemas,
    replicates: role.replicates,
  }
}

const nobody: ExposedRole = {
  name: everybody,
  is_superuser: false,
  bypasses_row_security: false,
  inherits: [],
  may_become: [],
  may_grant: [],
  can_login: false,
  creates_roles: false,
  creates_databases: false,
  creates_schemas: false,
  replicates: false,
}
