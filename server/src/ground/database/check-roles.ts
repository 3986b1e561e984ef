import { OperatorError } from '../errors.ts'
import type { Database } from './pool.ts'

interface RoleFacts {
  name: string
  is_superuser: boolean
  bypasses: boolean
  inherits: boolean
  owns: boolean
  memberships: string[]
}

const roleFacts = {
  name: 'role_facts',
  text: `
    select rolname as name, rolsuper as is_superuser, rolbypassrls as bypasses, rolinherit as inherits,
      exists (
        select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where relowner = pg_roles.oid and nspname in ('pie_schema', 'pie_private')
      ) as owns,
      array(
        select other.rolname::text from pg_roles as other
        where other.oid <> pg_roles.oid and pg_has_role(pg_roles.oid, other.oid, 'member')
        order by other.rolname
      ) as memberships
    from pg_roles where rolname = current_user`,
  values: [],
}

/** What the role of request transactions may become. */
const requestMemberships = ['webadmin', 'webuser']

/**
 * Looks at the two login roles as they are, before anything is served: row-level security protects
 * nothing from a role that bypasses it.
 *
 * @throws OperatorError naming the role, what is wrong with it, and what mends it
 */
export async function checkRoles(auth: Database, requests: Database): Promise<void> {
  await checkRole(auth, 'AUTH_DATABASE_URL', [])
  await checkRole(requests, 'REQUEST_DATABASE_URL', requestMemberships)
}

async function checkRole(database: Database, setting: string, allowed: string[]): Promise<void> {
  const [[facts] = []] = (await database.send(roleFacts)) as [[RoleFacts]]
  if (facts === undefined) throw new OperatorError(`Could not read the role of ${setting}.`)
  const fault = faultOf(facts, allowed)
  if (fault === null) return
  throw new OperatorError(
    `The database role ${facts.name} (${setting}) ${fault.what}, so it could act past row-level security. ${fault.mend}`,
  )
}

function faultOf(facts: RoleFacts, allowed: string[]): { what: string; mend: string } | null {
  const { name } = facts
  if (facts.is_superuser)
    return { what: 'is a superuser', mend: `Mend it: alter role "${name}" nosuperuser` }
  if (facts.bypasses) {
    return {
      what: 'bypasses row-level security',
      mend: `Mend it: alter role "${name}" nobypassrls`,
    }
  }
  if (facts.inherits)
    return {
      what: 'inherits the rights of other roles',
      mend: `Mend it: alter role "${name}" noinherit`,
    }
  if (facts.owns)
    return {
      what: 'owns tables of Pie',
      mend: 'Let Pie migrate as another role: set DATABASE_URL to it.',
    }
  const extra = facts.memberships.filter((role) => !allowed.includes(role))
  if (extra.length > 0) {
    return {
      what: `is a member of ${extra.join(', ')}`,
      mend: `Mend it: revoke ${extra[0]} from "${name}"`,
    }
  }
  return null
}
