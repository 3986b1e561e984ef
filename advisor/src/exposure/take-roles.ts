import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { borrowRoles } from '../database/borrow-roles.ts'
import { AdvisorError } from '../errors.ts'
import { everybody } from './exposure.ts'
import { type RoleRow, readRoles } from './queries.ts'

export interface TakenRole extends RoleRow {
  /** Its name in the database, which is another for what everybody has. */
  takenAs: string
}

/** The roles that are asked about, which the owner can become. What everybody has is what a new role has. */
export async function takeRoles(owner: pg.Client, given: readonly string[]): Promise<TakenRole[]> {
  const names = [...new Set(given)]
  const stranger = `advisor_stranger_${randomUUID()}`
  const taken = names.map((name) => (name === everybody ? stranger : name))
  if (taken.includes(stranger)) await owner.query(`create role ${pg.escapeIdentifier(stranger)}`)
  const { rows } = await owner.query<{ oid: number; name: string }>(
    'select oid, rolname as name from pg_roles where rolname = any ($1)',
    [taken],
  )
  const missing = taken.find((name) => !rows.some((row) => row.name === name))
  if (missing !== undefined) throw new AdvisorError(`There is no database role ${missing}.`)
  await borrowRoles(owner, taken)
  const { rows: roles } = await owner.query<RoleRow>(readRoles, [rows.map(({ oid }) => oid)])
  return taken.map((takenAs, index) => {
    const role = roles.find(({ name }) => name === takenAs) as RoleRow
    return { ...role, name: names[index] as string, takenAs }
  })
}
