import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { borrowRoles } from '../database/borrow-roles.ts'
import { AdvisorError } from '../errors.ts'
import type { Subject } from './explain-access.ts'

/**
 * Whoever an application's requests act as, where they are a database role and settings that policies read.
 * @param settings such as `{'app.user_id': '7'}`
 */
export function subjectOfRole(role: string, settings: Readonly<Record<string, string>>): Subject {
  return {
    find: async (client) => {
      const { rows } = await client.query<{ rolname: string }>(
        'select rolname from pg_roles where lower(rolname) = lower($1)',
        [role],
      )
      if (rows.every(({ rolname }) => rolname !== role))
        throw new AdvisorError(
          `There is no database role ${role}.${hintFor(role, rows[0]?.rolname)}`,
        )
      return { id: null, email: null, is_disabled: false }
    },
    become: async (client: pg.ClientBase) => {
      await borrowRoles(client, [role])
      const given = { ...(await settingsOf(client, role)), ...settings }
      for (const [name, value] of Object.entries(given)) await set(client, name, value)
      await client.query(`select set_config('role', $1, true)`, [role])
      return role
    },
  }
}

function hintFor(role: string, other: string | undefined): string {
  if (other !== undefined) return ` There is ${other}.`
  return role.toLowerCase() === 'public'
    ? ' PUBLIC is every role: name one that has been granted nothing of its own.'
    : ''
}

/**
 * What `alter role … set` and `alter database … set` give the role when it logs in: the settings that policies may read, and the
 * path that their functions find things by. What they give to whoever connects here alone, the role would not have: such a
 * setting cannot be unset again, and is made empty.
 */
async function settingsOf(client: pg.ClientBase, role: string): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; value: string | null }>(
    `select split_part(setting, '=', 1) as name, case when rolname = $1 or setrole = 0 then substr(setting, strpos(setting, '=') + 1) end as value
     from pg_db_role_setting left join pg_roles on pg_roles.oid = setrole
     cross join lateral unnest(setconfig) as setting
     where setdatabase in (0, (select oid from pg_database where datname = current_database()))
       and (setrole = 0 or rolname in ($1, session_user))
     order by rolname is not distinct from $1, setrole = 0 desc, setdatabase`,
    [role],
  )
  const settings: Record<string, string> = {}
  // First what is given to others, then to everybody in this database, then to the role, then to the role in this database.
  const given = [
    ...rows.filter(({ value }) => value === null),
    ...rows.filter(({ value }) => value !== null),
  ]
  for (const { name, value } of given)
    if (name.includes('.') || name === 'search_path')
      settings[name] = value ?? (name === 'search_path' ? '"$user", public' : '')
  return settings
}

async function set(client: pg.ClientBase, name: string, value: string): Promise<void> {
  // The path is for what is tried, not for what is asked besides.
  const kept = name === 'search_path' ? 'advisor.search_path' : name
  const { error } = await attempt(client, () =>
    client.query('select pg_catalog.set_config($1, $2, true)', [kept, value]),
  )
  if (error !== null)
    throw new AdvisorError(`The setting ${name} cannot be ${value}: ${error.message}.`)
  await client.query('select set_config($1, $2, true)', [kept, value])
}
