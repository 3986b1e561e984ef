/** What database roles can do, as the catalog says. Shaped as `exposure --json` prints it. */
export interface Exposure {
  /** What was asked for, null for what there is; a comparison asks for the same. */
  asked: { schemas: readonly string[] | null; roles: readonly string[] | null }
  roles: ExposedRole[]
  /** `owned_by` and `creatable_by`: who may change what stands in it, or add to it. */
  schemas: { name: string; usable_by: string[]; creatable_by: string[]; owned_by: string[] }[]
  relations: ExposedRelation[]
  functions: ExposedFunction[]
  sequences: ExposedSequence[]
  large_objects: ExposedLargeObjects[]
  /** Settings of the server that were granted. A superuser may set all. */
  parameters: ExposedParameter[]
  default_privileges: ExposedDefault[]
  /** What could not be seen for lack of rights, in words. */
  unseen: string[]
  /** Logins above what grants and policies say, that were not asked about. For comparison. */
  above: { name: string; because: string[] }[]
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
  /** Roles that it may grant to others, and so to itself. */
  may_grant: string[]
  can_login: boolean
  creates_roles: boolean
  creates_databases: boolean
  /** In this database. */
  creates_schemas: boolean
  replicates: boolean
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
  owner: string
  /** Roles with the rights of its owner: they may alter and drop it, and turn its row-level security off. */
  owned_by: string[]
  /** What else is granted on it. */
  rights: { role: string; privileges: ('references' | 'trigger' | 'maintain')[] }[]
  /** What Postgres makes of a statement on it instead, or also; with the rights of the owner. */
  rules: { name: string; event: string; is_instead: boolean; as: string; definition: string }[]
  /** Functions that writing to it sets off, with rights that are not the writer's. */
  definer_triggers: { name: string; function: string; as: string }[]
  /** Of a view, what it reads, as Postgres prints it; null where that decides nothing: it has the caller's rights. */
  definition: string | null
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
  /** What is counted as allowed, though it hangs on the plan whether Postgres refuses. */
  unsure?: { columns: string[]; reason: string }[]
}

/** Which rows an action reaches. */
export type Rows =
  | { kind: 'all'; reason: string }
  /** Row-level security is on, and no policy lets the role see any. */
  | { kind: 'none' }
  | { kind: 'policies'; policies: AppliedPolicy[] }
  /** Of a view: what it reads, and as whom. */
  | { kind: 'view'; reads: { relation: string; as: string; rows: Rows }[] }
  /** Of what a rule makes something else of: what is written or read then, and as whom. `itself` where the statement runs too. */
  | {
      kind: 'rules'
      itself: Rows | null
      does: { rule: string; action: string; relation: string; as: string; rows: Rows }[]
    }

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
  /** Of `security definer`: what whoever calls it can reach by it. Null for what has the caller's rights. */
  reach: Reach | null
  /**
   * Changes with its body, its language and its settings. Null for what has the caller's rights and is named by nothing that
   * decides, no policy, view, trigger or function with rights of its own.
   */
  body: string | null
}

/** What a function can reach with rights that are not its caller's. */
export interface Reach {
  /** Its owner, whose rights it has. */
  as: string
  /** Why no policy binds the owner, anywhere. */
  past_row_security: 'superuser' | 'bypasses row-level security' | null
  /**
   * `parsed`: the body was parsed when the function was made, and these are all. `named`: its text names these; it may name
   * others without their schema, or put text together and execute it. `unknown`: there is no text to read.
   */
  known_by: 'parsed' | 'named' | 'unknown'
  /** With what row-level security lets the owner see of each. */
  relations: { relation: string; rows: 'all' | 'policies' | 'none' | 'view' }[]
  functions: string[]
  /** Tables that its text names without their schema, and with no path of its own: whoever calls it says which. */
  without_schema: string[]
  /** Whether its text executes text. */
  executes_text: boolean
}

export const sequenceActions = ['nextval', 'currval', 'setval', 'select'] as const
export type SequenceAction = (typeof sequenceActions)[number]

export interface ExposedSequence {
  schema: string
  name: string
  /** The column that takes its values: `app.notes.id`. */
  of: string | null
  /** A sequence can be named by its number too: then usage of its schema is not asked for, but for `select`. */
  access: { role: string; actions: SequenceAction[]; only_by_number: boolean }[]
  owned_by: string[]
}

export interface ExposedParameter {
  name: string
  access: { role: string; actions: ('set' | 'alter system')[] }[]
}

/** Large objects that are owned by one role, and granted alike. */
export interface ExposedLargeObjects {
  owner: string
  count: number
  /** The lowest number of them. */
  first: number
  access: { role: string; actions: ('select' | 'update')[] }[]
}

/** What those roles will have been granted on what another makes. */
export interface ExposedDefault {
  made_by: string
  /** Null for every schema. */
  schema: string | null
  object: string
  grants: { role: string; privileges: string[] }[]
}
