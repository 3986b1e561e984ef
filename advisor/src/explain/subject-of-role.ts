import type pg from 'pg'
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
      const { rows } = await client.query('select from pg_roles where rolname = $1', [role])
      if (rows.length === 0) throw new AdvisorError(`There is no database role ${role}.`)
      return { id: null, email: null, is_disabled: false }
    },
    become: async (client: pg.ClientBase) => {
      await borrowRoles(client, [role])
      for (const [name, value] of Object.entries(settings))
        await client.query('select set_config($1, $2, true)', [name, value])
      await client.query(`select set_config('role', $1, true)`, [role])
      return role
    },
  }
}
