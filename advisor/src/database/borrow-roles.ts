import pg from 'pg'
import { AdvisorError } from '../errors.ts'

/**
 * Lets the owner become these roles until the transaction is rolled back. An owner with CREATEROLE need
 * not be a member of a role that it has made.
 *
 * @throws AdvisorError when it may not, saying what to grant
 */
export async function borrowRoles(owner: pg.ClientBase, roles: readonly string[]): Promise<void> {
  const { rows } = await owner.query<{
    role: string
    may_become: boolean
    version: number
    connected: string
  }>(
    `with server as (select current_setting('server_version_num')::int as version)
     select role, version, quote_ident(session_user) as connected,
       pg_has_role(session_user, role, case when version >= 160000 then 'set' else 'member' end) as may_become
     from server, unnest($1::text[]) as given (role)`,
    [roles],
  )
  for (const { role, may_become, version, connected } of rows) {
    if (may_become) continue
    // Without inheriting, where Postgres knows the difference: the role's policies are not the owner's.
    const options = version >= 160000 ? ' with inherit false, set true' : ''
    try {
      await owner.query(`grant ${pg.escapeIdentifier(role)} to current_user${options}`)
    } catch (cause) {
      // Another of these commands has the same grant under way, which it will roll back.
      if ((cause as pg.DatabaseError).code === '55P03')
        throw new AdvisorError(`Another command is acting as ${role}. Try again.`, { cause })
      throw new AdvisorError(
        `This needs to act as the database role ${role}, and whoever asks may not: ${(cause as Error).message}. ` +
          `As a superuser, or whoever made ${role}: grant ${pg.escapeIdentifier(role)} to ${connected}${options}`,
        { cause },
      )
    }
  }
}
