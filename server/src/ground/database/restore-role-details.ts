import pg from 'pg'
import type { Manifest } from '../backup/manifest.ts'
import type { BackedUpRole } from './read-database-roles.ts'
import { type Statement, settingStatements } from './setting-statements.ts'

/** What a role of the backup is called here: its owner may have become another. */
type NameNow = (name: string) => string

/**
 * Gives back what no dump holds: who is a member of whom, what is set for a role, and what is granted and
 * set on the database itself. What this role may not do is left, and returned with the reason.
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
    ...grantsOn(database, manifest.database_acl, nameNow),
    ...manifest.roles.flatMap(({ name, settings, database_settings }) => {
      const role = `role ${pg.escapeIdentifier(name)}`
      return [
        ...settingStatements(role, made.includes(name) ? settings : []),
        ...settingStatements(`${role} in ${database}`, database_settings),
      ]
    }),
    ...settingStatements(database, manifest.database_settings),
  ]
  const left: string[] = []
  for (const { text, shown } of statements) {
    const reason = await tryStatement(owner, text)
    if (reason !== null) left.push(`${shown}: ${reason}`)
  }
  return left
}

/** Why it could not be done. To grant what one may not is no error, but a warning. */
async function tryStatement(owner: pg.Client, text: string): Promise<string | null> {
  let warning: string | null = null
  const hear = ({
    severity,
    message = '',
  }: {
    severity?: string | undefined
    message?: string | undefined
  }) => {
    if (severity === 'WARNING') warning = message
  }
  owner.on('notice', hear)
  try {
    await owner.query(text)
    return warning
  } catch (error) {
    return (error as Error).message
  } finally {
    owner.off('notice', hear)
  }
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

function membershipsOf({ name, members }: BackedUpRole, nameNow: NameNow, here: Here): Statement[] {
  return members
    .filter((member) => !here.memberships.includes(`${name} ${nameNow(member.name)}`))
    .map((member) => {
      const [role, to] = [name, nameNow(member.name)].map(pg.escapeIdentifier)
      return inFull(`grant ${role} to ${to}${optionsOf(member, here.major)}`)
    })
}

/** Before Postgres 16, whether a member inherits was a matter of the member's own. */
function optionsOf(
  { admin, inherit, set }: BackedUpRole['members'][number],
  major: number,
): string {
  if (major < 16 || inherit === null || set === null) return admin ? ' with admin option' : ''
  return ` with admin ${admin === true}, inherit ${inherit === true}, set ${set === true}`
}

const databasePrivilege = /^(CONNECT|CREATE|TEMPORARY)$/

function grantsOn(database: string, acl: Manifest['database_acl'], nameNow: NameNow): Statement[] {
  const granted = acl.filter(({ privilege }) => databasePrivilege.test(privilege))
  return [
    inFull(`revoke all on ${database} from public`),
    ...granted.map(({ grantee, privilege, grantable }) => {
      const to = grantee === null ? 'public' : pg.escapeIdentifier(nameNow(grantee))
      const option = grantable ? ' with grant option' : ''
      return inFull(`grant ${privilege} on ${database} to ${to}${option}`)
    }),
  ]
}

const inFull = (text: string): Statement => ({ text, shown: text })
