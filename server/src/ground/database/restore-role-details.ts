import pg from 'pg'
import type { Manifest } from '../backup/manifest.ts'
import type { BackedUpRole, Setting } from './read-database-roles.ts'

/** Roles of a backup that have become others: the owner's. */
type NameNow = (name: string) => string

/**
 * Gives back what no dump holds: who is a member of whom, what is set for a role, and what is granted and
 * set on the database itself. What this role may not do is left, and the statements are returned with the
 * reason.
 *
 * @param made the roles that were not there before: what is set for the others is their server's
 */
export async function restoreRoleDetails(
  owner: pg.Client,
  manifest: Pick<Manifest, 'roles' | 'database_acl' | 'database_settings' | 'owner'>,
  made: readonly string[],
): Promise<string[]> {
  const here = await readHere(owner)
  const nameNow: NameNow = (name) => (name === manifest.owner ? here.owner : name)
  const database = `database ${pg.escapeIdentifier(here.database)}`
  const statements = [
    ...manifest.roles.flatMap((role) => membershipsOf(role, nameNow, here)),
    ...manifest.roles.flatMap(({ name, settings, database_settings }) => [
      ...settingsOf(`role ${pg.escapeIdentifier(name)}`, made.includes(name) ? settings : []),
      ...settingsOf(`role ${pg.escapeIdentifier(name)} in ${database}`, database_settings),
    ]),
    ...grantsOn(database, manifest.database_acl, nameNow),
    ...settingsOf(database, manifest.database_settings),
  ]
  const left: string[] = []
  for (const statement of statements) {
    await owner
      .query(statement)
      .catch((error: Error) => left.push(`${statement}: ${error.message}`))
  }
  return left
}

interface Here {
  owner: string
  database: string
  major: number
  /** `role member` */
  memberships: string[]
}

async function readHere(owner: pg.Client): Promise<Here> {
  const { rows } = await owner.query<Here>(
    `select current_user as owner, current_database() as database,
       current_setting('server_version_num')::integer / 10000 as major,
       array(
         select roles.rolname || ' ' || members.rolname from pg_catalog.pg_auth_members
         join pg_catalog.pg_roles as roles on roles.oid = roleid
         join pg_catalog.pg_roles as members on members.oid = member
       ) as memberships`,
  )
  return rows[0] as Here
}

function membershipsOf({ name, members }: BackedUpRole, nameNow: NameNow, here: Here): string[] {
  const options = ({ admin, inherit, set }: BackedUpRole['members'][number]) => {
    if (here.major < 16 || inherit === null || set === null)
      return admin ? ' with admin option' : ''
    return ` with admin ${admin === true}, inherit ${inherit === true}, set ${set === true}`
  }
  return members
    .filter((member) => !here.memberships.includes(`${name} ${nameNow(member.name)}`))
    .map(
      (member) =>
        `grant ${pg.escapeIdentifier(name)} to ${pg.escapeIdentifier(nameNow(member.name))}${options(member)}`,
    )
}

/** Their values are lists of names, each of which is quoted by itself. */
const lists =
  /^(search_path|temp_tablespaces|(session|shared|local)_preload_libraries|unix_socket_directories)$/

function settingsOf(subject: string, settings: readonly Setting[]): string[] {
  return settings.map(({ name, value }) => {
    const values = lists.test(name) ? listed(value) : [value]
    const quoted = name.split('.').map(pg.escapeIdentifier).join('.')
    return `alter ${subject} set ${quoted} to ${values.map(pg.escapeLiteral).join(', ')}`
  })
}

/** `"$user", public` as its names. An empty list is the one name that is empty. */
function listed(value: string): string[] {
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^,\s"]+/g)]
  if (names.length === 0) return ['']
  return names.map(([bare, quoted]) => quoted?.replaceAll('""', '"') ?? bare)
}

const databasePrivilege = /^(CONNECT|CREATE|TEMPORARY)$/

function grantsOn(database: string, acl: Manifest['database_acl'], nameNow: NameNow): string[] {
  const granted = acl.filter(({ privilege }) => databasePrivilege.test(privilege))
  return [
    `revoke all on ${database} from public`,
    ...granted.map(({ grantee, privilege, grantable }) => {
      const to = grantee === null ? 'public' : pg.escapeIdentifier(nameNow(grantee))
      return `grant ${privilege} on ${database} to ${to}${grantable ? ' with grant option' : ''}`
    }),
  ]
}
