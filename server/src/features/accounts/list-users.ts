import type pg from 'pg'
import { checkThereIs } from './check-there-is.ts'

/** A user as an operator sees them in a list. */
export interface ListedUser {
  id: string
  email: string | null
  name: string | null
  roles: string[]
  state: 'active' | 'disabled'
  created_at: Date
  /** When a session of theirs was last used; null when there has been none in 90 days. */
  last_seen_at: Date | null
}

export interface UsersToList {
  /** A part of an address or of the name; null for all. */
  text: string | null
  role: string | null
  isDisabled: boolean
  most: number
}

/**
 * The users that fit, the newest first, and how many there are of them.
 * @throws OperatorError when there is no such role
 */
export async function listUsers(
  owner: pg.Client,
  { text, role, isDisabled, most }: UsersToList,
): Promise<{ users: ListedUser[]; total: number }> {
  if (role !== null) await checkThereIs(owner, 'role', role)
  const { rows } = await owner.query<ListedUser & { total: number }>(listText, [
    text === null ? null : text.normalize('NFC'),
    role,
    isDisabled,
    most,
  ])
  return { users: rows.map(({ total: _, ...user }) => user), total: rows[0]?.total ?? 0 }
}

const listText = `
  with newest as (
    select users.id, users.name, users.disabled_at, users.created_at, count(*) over ()::integer as total
    from pie_schema.users
    where ($1::text is null or strpos(lower(users.name), lower($1)) > 0 or exists (
        select from pie_schema.user_emails
        where user_emails.user_id = users.id and strpos(user_emails.email, lower($1)) > 0
      ))
      and ($2::text is null or exists (
        select from pie_schema.user_roles where user_roles.user_id = users.id and user_roles.role = $2
      ))
      and (not $3 or users.disabled_at is not null)
    order by users.created_at desc, users.id
    limit $4
  )
  select newest.id, user_emails.email, newest.name,
    array(select user_roles.role from pie_schema.user_roles where user_roles.user_id = newest.id order by 1) as roles,
    case when newest.disabled_at is null then 'active' else 'disabled' end as state,
    newest.created_at,
    -- Of a session that has been cleaned away, what is left is the day.
    greatest(
      (select max(sessions.last_seen_at) from pie_private.sessions where sessions.user_id = newest.id),
      (select max(known.last_seen_at) from pie_private.known_networks as known where known.user_id = newest.id)
    ) as last_seen_at,
    newest.total
  from newest
  left join pie_schema.user_emails on user_emails.user_id = newest.id and user_emails.is_primary
  order by newest.created_at desc, newest.id`
