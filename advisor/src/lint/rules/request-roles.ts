import type { Catalog, Role } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { FIRST_SUPERUSER, mendAs } from '../mends/mend-as.ts'
import { askersWith, nameOfRole } from '../rights/askers.ts'
import type { Fault, Rule } from '../rule.ts'
import type { Weight } from '../weight.ts'

/** Roles of requests, and what each is a member of. */
const requestRolesOf = ({ roles, requestRoles }: Catalog): Role[] =>
  [...requestRoles].flatMap((oid) => roles.get(oid) ?? [])

interface Attribute {
  has(role: Role, catalog: Catalog): boolean
  does: string
  without: string
  weight: Weight
}

/** A superuser alone takes these away, or from 16 on whoever has them and may make roles. */
const ofSuperusers = new Set(['nosuperuser', 'nobypassrls', 'noreplication'])

/** In the order of what they lead to: of each role the first is enough to undo all others. */
const attributes: readonly Attribute[] = [
  {
    has: ({ isSuperuser }) => isSuperuser,
    does: 'it is a superuser, whom neither grants nor policies hold',
    without: 'nosuperuser',
    weight: 'hole',
  },
  {
    has: ({ bypassesRowSecurity }) => bypassesRowSecurity,
    does: 'no policy holds it',
    without: 'nobypassrls',
    weight: 'hole',
  },
  {
    has: ({ replicates }) => replicates,
    does: 'it may copy all databases of the server, whatever it was granted',
    without: 'noreplication',
    weight: 'hole',
  },
  {
    has: ({ createsRoles }, { version }) => createsRoles && version < 160_000,
    does: 'it may make itself a member of every role that is no superuser',
    without: 'nocreaterole',
    weight: 'hole',
  },
  {
    has: ({ createsRoles }) => createsRoles,
    does: 'it may make roles that log in and stay',
    without: 'nocreaterole',
    weight: 'leak',
  },
  {
    has: ({ createsDatabases }) => createsDatabases,
    does: 'it may make databases, and fill the disk',
    without: 'nocreatedb',
    weight: 'failure',
  },
]

export const requestRoleAbovePolicies: Rule = {
  name: 'request-role-above-policies',
  weight: 'hole',
  why:
    'What a role of requests is, or can become, every request can be: an attribute of a role is for all tables of all ' +
    'databases at once, and no policy asks about it.',
  find: (catalog, names) => [
    ...requestRolesOf(catalog)
      .filter((role) => !isTrusted(names, role))
      .flatMap((role) => attributesOf(catalog, role)),
    ...databaseFaults(catalog),
  ],
}

function attributesOf(catalog: Catalog, role: Role): Fault[] {
  const held = attributes.filter(({ has }) => has(role, catalog))
  const [gravest] = held
  if (gravest === undefined) return []
  const ways = waysTo(catalog, role)
  const without = [...new Set(held.map(({ without }) => without))]
  return [
    {
      object: `role ${role.sql}`,
      weight: gravest.weight,
      detail: `${held
        .filter(({ without }, place) => held.findIndex((one) => one.without === without) === place)
        .map(({ does }) => does)
        .join('; ')}${ways}`,
      mend: mendAs(
        catalog,
        without.some((one) => ofSuperusers.has(one)) ? [FIRST_SUPERUSER] : [],
        `alter role ${role.sql} ${without.join(' ')};`,
      ),
    },
  ]
}

/** Who becomes it, in words. */
function waysTo(catalog: Catalog, role: Role): string {
  const members = requestRolesOf(catalog).filter(({ memberships }) =>
    memberships.some((membership) => membership.role === role.oid),
  )
  return members.length === 0 ? '' : `; ${members.map(({ sql }) => sql).join(', ')} can become it`
}

function databaseFaults(catalog: Catalog): Fault[] {
  const { name, acl, owner } = catalog.database
  const sql = `database ${/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`}`
  return askersWith(catalog, acl, 'create')
    .filter((role) => role !== owner)
    .map((role) => ({
      object: `grant to ${nameOfRole(catalog, role)} on ${sql}`,
      weight: 'leak' as const,
      detail: 'it may make schemas, and put trusted extensions in',
      mend: `revoke create on ${sql} from ${nameOfRole(catalog, role)};`,
    }))
}

/** What membership in a role of Postgres' own brings. */
const serverRoles: Record<string, { weight: Weight; does: string }> = {
  pg_execute_server_program: { weight: 'hole', does: 'copy … program runs programs on the server' },
  pg_write_server_files: { weight: 'hole', does: 'it may write the server’s files' },
  pg_read_server_files: {
    weight: 'hole',
    does: 'it may read the server’s files, those of the tables too',
  },
  pg_write_all_data: { weight: 'hole', does: 'it may write in every table that has no policies' },
  pg_read_all_data: { weight: 'leak', does: 'it may read every table that has no policies' },
  pg_create_subscription: {
    weight: 'hole',
    does: 'it may have rows from elsewhere written into tables',
  },
  pg_monitor: { weight: 'leak', does: 'it may see what others ask, with the values in it' },
  pg_read_all_stats: { weight: 'leak', does: 'it may see what others ask, with the values in it' },
  pg_read_all_settings: { weight: 'leak', does: 'it may see settings that are kept to superusers' },
  pg_stat_scan_tables: { weight: 'leak', does: 'it may look into tables, past grants' },
  pg_signal_backend: { weight: 'failure', does: 'it may end what others do' },
  pg_signal_autovacuum_worker: { weight: 'failure', does: 'it may end the server’s cleaning up' },
  pg_checkpoint: { weight: 'failure', does: 'it may make the server write everything out' },
  pg_maintain: { weight: 'failure', does: 'it may lock every table' },
  pg_use_reserved_connections: { weight: 'failure', does: 'it may take the last connections' },
}

export const requestRoleOfServer: Rule = {
  name: 'request-role-of-server',
  weight: 'hole',
  why: 'Postgres’ own roles give rights over the server and over all tables, and whoever sends SQL in a request has them.',
  find: (catalog, names) =>
    requestRolesOf(catalog)
      .filter((role) => !isTrusted(names, role) && serverRoles[role.name] === undefined)
      .flatMap((role) =>
        role.memberships.flatMap((membership) => {
          const of = catalog.roles.get(membership.role)
          const known = serverRoles[of?.name ?? '']
          if (of === undefined || known === undefined) return []
          return [
            {
              object: `membership of ${role.sql} in ${of.sql}`,
              weight: known.weight,
              detail: known.does,
              mend: `revoke ${of.sql} from ${role.sql};`,
            },
          ]
        }),
      ),
}

export const requestRoleMayPassOn: Rule = {
  name: 'request-role-may-pass-on',
  weight: 'leak',
  why: 'With admin option a request can grant the role to others, and keep what it was meant to have for as long as it runs.',
  find: (catalog, names) =>
    requestRolesOf(catalog)
      .filter((role) => !isTrusted(names, role))
      .flatMap((role) =>
        role.memberships
          .filter(({ admin }) => admin)
          .flatMap((membership) => catalog.roles.get(membership.role) ?? [])
          .map((of) => ({
            object: `admin option of ${role.sql} for ${of.sql}`,
            mend: `revoke admin option for ${of.sql} from ${role.sql};`,
          })),
      ),
}

/** Whom nobody outside can act as. */
const isTrusted = (names: Names, { name }: Role): boolean => names.trustedRoles.includes(name)
