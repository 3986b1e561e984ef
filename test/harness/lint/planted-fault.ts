import type { Weight } from '../../../advisor/src/lint/weight.ts'
import { soundTable } from './names.ts'

/** A fault with the SQL that makes it, and nothing else that is wrong but what `also` says. */
export interface PlantedFault extends Expected {
  sql: string
  /** What the same SQL breaks besides, because it has to. */
  also?: readonly Expected[]
  /** Made once, and not under each kind of names: for what has a name in all of the database. */
  isOnce?: true
  /**
   * What a superuser has to do first, on servers that no other test shares: there alone it is planted. Roles are the
   * server's, so that a fault with roles of its own makes them here.
   */
  onOwnServer?: string
  /** Planted only where the owner is a superuser, because nobody else may. */
  asSuperuser?: true
  /** Undoes what dropping the schema does not: roles, publications, what was granted outside. By a superuser. */
  cleanUp?: string
}

export interface Expected {
  rule: string
  object: string
  /** Where it is another one than the rule's. */
  weight?: Weight
  /** The version of Postgres from which on it is none. */
  below?: number
  /** The version from which on it is one. */
  from?: number
  /** What its mend brings to light, to be mended by the next run. */
  brings?: readonly { rule: string; object: string }[]
  /** That its mend only says what there is to decide, and leaves it as it was. */
  isByHand?: true
}

export const inTable = (rule: string, name: string, sql: string): PlantedFault => ({
  rule,
  object: `table {s}.{${name}}`,
  sql: soundTable(name) + sql,
})

const policyFor = (name: string, role: string): string => `
  create policy {${name}_own} on {s}.{${name}} to ${role === 'public' ? 'webuser' : role}
    using ({owner_id} = (select pie_schema.current_user_id()));`

/** Something that is granted on a table whose rows are somebody's. */
export const granted = (
  rule: string,
  name: string,
  grant: string,
  role = 'webuser',
): PlantedFault => ({
  rule,
  object: `grant to ${role} on table {s}.{${name}}`,
  sql: `${soundTable(name, ', {owner_id} uuid unique, {body} text, {number} integer generated always as identity')}
    ${/select|insert|update|delete/.test(grant) ? policyFor(name, role) : ''}
    grant ${grant} on {s}.{${name}} to ${role};`,
})
