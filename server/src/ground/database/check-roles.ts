import { OperatorError } from '../errors.ts'
import type { Database } from './pool.ts'

interface RoleFacts {
  name: string
  is_superuser: boolean
  bypasses: boolean
  inherits: boolean
  makes_roles: boolean
  replicates: boolean
  owns: boolean
  memberships: string[]
  /** Whether it may call what its work begins with. */
  can_begin: boolean
}

const roleFacts = (beginning: string) => ({
  name: 'role_facts',
  text: `
    select rolname as name, rolsuper as is_superuser, rolbypassrls as bypasses, rolinherit as inherits,
      rolcreaterole as makes_roles, rolreplication as replicates,
      exists (
        select from pg_shdepend
        where refclassid = 'pg_authid'::regclass and refobjid = pg_roles.oid and deptype = 'o'
          and (select oid from pg_database where datname = current_database())
            in (dbid, case when classid = 'pg_database'::regclass then objid end)
      ) as owns,
      exists (
        select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
        where nspname = 'pie_private' and proname = $1
          and has_schema_privilege(pg_namespace.oid, 'usage') and has_function_privilege(pg_proc.oid, 'execute')
      ) as can_begin,
      array(
        select other.rolname::text from pg_roles as other
        where other.oid <> pg_roles.oid and pg_has_role(pg_roles.oid, other.oid, 'member')
        order by other.rolname
      ) as memberships
    from pg_roles where rolname = current_user`,
  values: [beginning],
})

/** What the role of request transactions may become. */
const requestMemberships = ['webadmin', 'webuser']

/**
 * Looks at the two login roles as they are, before anything is served: row-level security protects
 * nothing from a role that bypasses it.
 *
 * @throws OperatorError naming the role, what is wrong with it, and what mends it
 */
export async function checkRoles(auth: Database, requests: Database): Promise<void> {
  await checkRole(auth, 'AUTH_DATABASE_URL', 'list_signing_keys', [])
  await checkRole(requests, 'REQUEST_DATABASE_URL', 'authenticate', requestMemberships)
}

async function checkRole(
  database: Database,
  setting: string,
  beginning: string,
  allowed: string[],
): Promise<void> {
  const [[facts] = []] = (await database.send(roleFacts(beginning))) as [[RoleFacts]]
  if (facts === undefined) throw new OperatorError(`Could not read the role of ${setting}.`)
  const fault = faultOf(facts, allowed)
  const missing = allowed.filter((role) => !facts.memberships.includes(role))
  if (fault === null && facts.can_begin && missing.length === 0) return
  if (fault === null) {
    throw new OperatorError(
      `The database role ${facts.name} (${setting}) may not do what Pie does with it. Leave ${setting} out, ` +
        'or grant the role what 0002-roles.sql and the migrations after it grant to ' +
        `${allowed.length === 0 ? 'pie_auth' : 'cream'}.`,
    )
  }
  throw new OperatorError(
    `The database role ${facts.name} (${setting}) ${fault.what}, so it could act past row-level security. ${fault.mend}`,
  )
}

function faultOf(facts: RoleFacts, allowed: string[]): { what: string; mend: string } | null {
  const { name } = facts
  if (facts.is_superuser)
    return {
      what: 'is a superuser',
      // Whoever gives the owner's address should not be told to make it less than that.
      mend: `Give the address of a role that is Pie's alone. If this one is: alter role "${name}" nosuperuser`,
    }
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
  if (facts.makes_roles)
    return { what: 'may make and grant roles', mend: `Mend it: alter role "${name}" nocreaterole` }
  if (facts.replicates)
    return {
      what: 'may replicate every table',
      mend: `Mend it: alter role "${name}" noreplication`,
    }
  if (facts.owns)
    return {
      what: 'owns things in this database',
      mend: 'Let another role migrate and own them: set DATABASE_URL to it.',
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
