import type { AclItem } from './acl.ts'

/** What lies beside tables and can lead past them, and that few databases have much of. */
export interface Detours {
  /** By view: how rows may be written through it without a trigger or a rule, as Postgres says. */
  views: ReadonlyMap<number, ViewWrites>
  publications: readonly Publication[]
  foreignServers: readonly ForeignServer[]
  foreignDataWrappers: readonly { sql: string; owner: number; acl: AclItem[] }[]
  /** Whether a language keeps to the database: plpgsql does, plpython3u and c do not. */
  trustedLanguages: ReadonlySet<string>
  /** Those that somebody but their owner was granted. */
  largeObjects: readonly { oid: number; owner: number; acl: AclItem[] }[]
  /** What of Postgres' own was granted since the server was made, or its extension, with all of its rights. */
  changedPrivileges: readonly ChangedPrivileges[]
  /** `name=value`, as set on the database for everybody. */
  databaseSettings: readonly string[]
  extensions: readonly ExtensionState[]
}

export interface ViewWrites {
  canInsert: boolean
  canUpdate: boolean
  hasCheckOption: boolean
}

export interface Publication {
  name: string
  sql: string
  ofAllTables: boolean
  /** Schemas of which it has every table. */
  schemas: number[]
  /** The tables that it names; with a row filter where it says which rows. */
  tables: { relation: number; hasRowFilter: boolean }[]
}

export interface ForeignServer {
  oid: number
  name: string
  sql: string
  wrapper: string
  owner: number
  acl: AclItem[]
  /** 0 for PUBLIC. */
  mappedRoles: number[]
}

export interface ChangedPrivileges {
  /** What a grant calls it: `table pg_catalog.pg_authid`, `function pg_catalog.pg_read_file(text)`. */
  object: string
  name: string
  acl: AclItem[]
  /** What it had at first. */
  initial: AclItem[]
}

export interface ExtensionState {
  name: string
  sql: string
  schema: number
  owner: number
  version: string
  /** That of the server's files; null where they are gone. */
  availableVersion: string | null
  canMove: boolean
}
