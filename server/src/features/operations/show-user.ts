import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import type { ListedUser } from '../accounts/list-users.ts'
import { findUser } from './find-user.ts'

/** A user as an operator sees them alone. */
export interface ShownUser extends ListedUser {
  disabled_at: Date | null
  addresses: Address[]
  permissions: string[]
  /** As many as `pie session list` lists. */
  live_sessions: number
  last_sign_in_at: Date | null
}

interface Address {
  email: string
  is_primary: boolean
  is_verified: boolean
}

/**
 * All that an operator may want to know of a user.
 * @param subject an address of theirs, or their id
 * @throws OperatorError when there is no such user; Refusal `invalid_request` for a malformed address
 */
export async function showUser(owner: pg.Client, subject: string): Promise<ShownUser> {
  const { id } = await findUser(owner, subject)
  const { rows: users } = await owner.query<Omit<ShownUser, 'email' | 'addresses'>>(userText, [id])
  const { rows: addresses } = await owner.query<Address>(addressesText, [id])
  const [user] = users
  if (user === undefined) throw new OperatorError(`The user ${id} has just been deleted.`)
  const email = addresses.find(({ is_primary }) => is_primary)?.email ?? null
  return { ...user, email, addresses }
}

const addressesText = `
  select email, is_primary, is_verified from pie_schema.user_emails
  where user_id = $1 order by is_primary desc, email`

const userText = `
  select users.id, users.name,
    case when users.disabled_at is null then 'active' else 'disabled' end as state,
    users.disabled_at, users.created_at,
    array(select user_roles.role from pie_schema.user_roles where user_roles.user_id = users.id order by 1) as roles,
    array(
      select distinct role_permissions.permission
      from pie_schema.user_roles
      join pie_schema.role_permissions on role_permissions.role = user_roles.role
      where user_roles.user_id = users.id order by 1
    ) as permissions,
    (
      select count(*)::integer from pie_private.sessions
      where sessions.user_id = users.id
        and sessions.revoked_at is null
        and sessions.successor_id is null
        and sessions.absolute_expires_at > now()
        and (sessions.kind = 'browser' or sessions.expires_at > now())
    ) as live_sessions,
    -- Of a session that has been cleaned away, what is left is the day.
    greatest(
      (select max(sessions.last_seen_at) from pie_private.sessions where sessions.user_id = users.id),
      (select max(known.last_seen_at) from pie_private.known_networks as known where known.user_id = users.id)
    ) as last_seen_at,
    (
      select audit_log.happened_at from pie_private.audit_log
      where audit_log.user_id = users.id and audit_log.event = 'session.started'
      order by audit_log.id desc limit 1
    ) as last_sign_in_at
  from pie_schema.users
  where users.id = $1`
