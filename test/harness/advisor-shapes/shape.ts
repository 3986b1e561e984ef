import type { PresetName } from '../../../advisor/src/presets/take-names.ts'

/** A schema as people make them somewhere, in our own words. */
export interface AdvisorShape {
  name: string
  /** What its database is taken for. */
  presets: PresetName[]
  /** Who owns the database and runs `sql`: no superuser. */
  owner: string
  /** Run by the superuser before, in the new database: roles, what the platform brings. */
  before: string
  sql: string
  /** Correct by the best practice of its world: nothing but style is to be found. */
  isSound?: true
  /** Of its findings, those that have to be among them: `rule: object`. */
  finds?: string[]
  /** An extension without which it cannot be made. */
  needs?: string[]
  /** Whether its database is one with Pie on it. */
  onPie?: true
}

/** An owner as hosts give one: may make roles and schemas, and is no superuser. */
export const plainOwner = (name: string, roles = ''): string => `
  create role ${name} login createrole password 'owner';
  ${roles}`
