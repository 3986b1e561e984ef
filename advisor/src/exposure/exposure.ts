/** What database roles can do, as Postgres says. Shaped as `exposure --json` prints it. */
export interface Exposure {
  roles: ExposedRole[]
  schemas: { name: string; usable_by: string[] }[]
  relations: ExposedRelation[]
  functions: ExposedFunction[]
}

/** What everybody has: the name under which a role without any grant of its own is shown. */
export const everybody = 'PUBLIC'

export interface ExposedRole {
  name: string
  is_superuser: boolean
  bypasses_row_security: boolean
  /** Roles whose rights and policies it has without asking. */
  inherits: string[]
  /** Roles that it can take with `set role`, which are not counted as its own. */
  may_become: string[]
}

export type RelationKind =
  | 'table'
  | 'partitioned table'
  | 'view'
  | 'materialized view'
  | 'foreign table'

export interface ExposedRelation {
  schema: string
  name: string
  kind: RelationKind
  columns: string[]
  /** Null for what knows no row-level security of its own. */
  row_security: 'off' | 'on' | 'forced' | null
  /** What is granted, by role and action. What is not here is refused. */
  access: Access[]
}

export const actions = ['select', 'insert', 'update', 'delete', 'truncate'] as const
export type Action = (typeof actions)[number]

/** Something that a role has been granted on a relation. */
export interface Access {
  role: string
  action: Action
  /** Whether Postgres lets a statement do it. */
  allowed: boolean
  /** The columns that can be read or written. Empty for delete and truncate, which know none. */
  columns: string[]
  /** What has been granted, and Postgres refuses all the same. */
  refused: { columns: string[]; reason: string }[]
  rows: Rows
}

/** Which rows an action reaches. */
export type Rows =
  | { kind: 'all'; reason: string }
  /** Row-level security is on, and no policy lets the role see any. */
  | { kind: 'none' }
  | { kind: 'policies'; policies: AppliedPolicy[] }
  /** Of a view: what it reads, and as whom. */
  | { kind: 'view'; reads: { relation: string; as: string; rows: Rows }[] }

export interface AppliedPolicy {
  name: string
  is_restrictive: boolean
  using: string | null
  with_check: string | null
}

export interface ExposedFunction {
  schema: string
  /** `name(arguments)` */
  signature: string
  returns: string | null
  kind: 'function' | 'procedure' | 'aggregate' | 'window function'
  security: 'definer' | 'invoker'
  executable_by: string[]
}
