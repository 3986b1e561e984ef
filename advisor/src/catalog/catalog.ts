import type { AclItem } from './acl.ts'

/**
 * The catalog of a database, read once (`read-catalog.ts`), as far as lint and exposure ask about it. Oids are numbers; the
 * oid 0 among roles is PUBLIC, everybody. Names are as they are; `sql` is how SQL writes them, quoted and with their schema.
 */
export interface Catalog {
  /** 150004, 180001 … */
  version: number
  database: { name: string; owner: number; acl: AclItem[] }
  roles: ReadonlyMap<number, Role>
  schemas: ReadonlyMap<number, Schema>
  /** Tables, views, sequences …, of every schema but temporary ones and those of TOAST; of Postgres' own schemas without columns. */
  relations: ReadonlyMap<number, Relation>
  /** Every function, also of Postgres' own. */
  functions: ReadonlyMap<number, Routine>
  operators: ReadonlyMap<number, Operator>
  types: ReadonlyMap<number, Type>
  casts: readonly Cast[]
  defaultPrivileges: readonly DefaultPrivilege[]
  extensions: ReadonlyMap<number, { name: string; schema: number }>
  /** What requests act as, and every role that one of these is a member of. Never with 0. */
  requestRoles: ReadonlySet<number>
  /** Settings of the server that somebody was granted, kept to superusers otherwise. */
  parameters: readonly { name: string; acl: AclItem[] }[]
  /** What lies beside tables and can lead past them: publications, foreign servers, large objects … */
  detours: import('./detours.ts').Detours
  /** What could not be seen for lack of rights, in words. */
  unseen: readonly string[]
  /** Names that hold signs that are not seen, as a line break. */
  oddNames: readonly string[]
  operatorClasses: OperatorClasses
  /** Of what types, aggregates and the like are made: `read-parts.ts`. */
  parts: readonly Part[]
  /** Functions whose answers are kept: in an index, a generated column, the key of partitions. */
  keptFunctions: ReadonlySet<number>
  /** How far sequences have come, by their oid; without those that may not be looked at. */
  sequences: ReadonlyMap<number, SequenceState>
  /** Since when uses are counted; null where that is not known, or the server is a standby, which counts for itself. */
  statisticsSince: Date | null
}

/** Which operator an index can be asked by. */
export interface OperatorClasses {
  /** By operator: the families of indexes that serve `key operator value`. */
  families: ReadonlyMap<number, { family: number; method: string; strategy: number }[]>
  /** By operator class: its family. */
  familyOf: ReadonlyMap<number, number>
  /** By operator: the one that asks the same from the other side. */
  commutators: ReadonlyMap<number, number>
  /** What an index on a type takes where no class is named: by access method, then by type. */
  defaults: ReadonlyMap<string, ReadonlyMap<number, number>>
  /** By partitioned table: the columns that say which partition. */
  partitionKeys: ReadonlyMap<number, number[]>
}

/** That a type or a function runs another one, which stands in no text: a domain its check, an aggregate its steps. */
export interface Part {
  of: { kind: 'type' | 'function'; oid: number }
  on: { kind: 'type' | 'function'; oid: number } | Expression
}

export interface SequenceState {
  last: number
  /** Where it ends. */
  most: number
}

export interface Role {
  oid: number
  name: string
  sql: string
  canLogin: boolean
  isSuperuser: boolean
  bypassesRowSecurity: boolean
  inherits: boolean
  createsRoles: boolean
  createsDatabases: boolean
  replicates: boolean
  /** Roles that it is a member of, directly. Before 16 `inherit` is that of the role, and `set` always true. */
  memberships: { role: number; admin: boolean; inherit: boolean; set: boolean }[]
  /** `name=value`, as set on the role, for all databases or this one. */
  settings: string[]
}

export interface Schema {
  oid: number
  name: string
  sql: string
  owner: number
  acl: AclItem[]
  comment: string | null
  /** Whether it is one of those that are asked about. */
  isAsked: boolean
  /** pg_catalog, information_schema. */
  isOfPostgres: boolean
  extension: number | null
}

/** `S` is a sequence. */
export type RelationKind = 'r' | 'p' | 'v' | 'm' | 'f' | 'S'

export interface Relation {
  oid: number
  schema: Schema
  name: string
  /** `app.notes`, quoted where it has to be. */
  sql: string
  kind: RelationKind
  owner: number
  acl: AclItem[]
  rowSecurity: boolean
  forced: boolean
  isPartition: boolean
  /** What it inherits from, or is a partition of. */
  parents: number[]
  options: { securityInvoker: boolean; securityBarrier: boolean }
  /** As the planner estimates; -1 where nobody has looked. */
  estimatedRows: number
  columns: Column[]
  policies: Policy[]
  triggers: Trigger[]
  /** Rewrite rules; that of a view has the event `select`. */
  rules: RewriteRule[]
  indexes: Index[]
  constraints: Constraint[]
  /** Of an identity or serial column: the column that owns a sequence. */
  ownedBy: { relation: number; column: number; isIdentity: boolean } | null
  comment: string | null
  extension: number | null
  /** In a schema that is asked about, and of no extension. */
  isAsked: boolean
  /** Whether its policies are asked about: those that people wrote on a platform's tables are theirs, unlike the tables. */
  arePoliciesAsked: boolean
}

export interface Column {
  number: number
  name: string
  sql: string
  type: number
  notNull: boolean
  isGenerated: boolean
  /** `a`: always, `d`: by default. */
  identity: '' | 'a' | 'd'
  hasDefault: boolean
  acl: AclItem[]
  comment: string | null
}

export type Command = 'select' | 'insert' | 'update' | 'delete' | 'all'

export interface Policy {
  oid: number
  relation: Relation
  name: string
  sql: string
  /** `policy notes_own on app.notes` */
  object: string
  command: Command
  isPermissive: boolean
  /** 0 for PUBLIC. */
  roles: number[]
  using: Expression | null
  check: Expression | null
  comment: string | null
}

/** An expression or a query as the catalog keeps it. */
export interface Expression {
  /** As Postgres prints it with pg_catalog alone on the search path. */
  text: string
  /** Parsed when it is first asked for. */
  readonly tree: import('./parse-node-tree.ts').TreeNode
  /** That it goes deeper than is read: known once its tree was asked for. */
  readonly isCut?: boolean
}

export interface Trigger {
  oid: number
  name: string
  sql: string
  function: number
  /** As `pg_trigger.tgtype`: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead. */
  type: number
  isEnabled: boolean
}

export interface RewriteRule {
  oid: number
  name: string
  sql: string
  event: 'select' | 'update' | 'insert' | 'delete'
  isInstead: boolean
  /** The queries that it becomes. `text` is what pg_get_ruledef prints. */
  action: Expression
}

export interface Index {
  oid: number
  name: string
  sql: string
  method: string
  isUnique: boolean
  isPrimary: boolean
  isValid: boolean
  /** Of a constraint. */
  constraint: number | null
  /** attnums of the key, in order; 0 for an expression. */
  columns: number[]
  included: number[]
  /** What stands for each 0 in `columns`, in order. */
  expressions: string[]
  /** `where …` of a partial index. */
  predicate: string | null
  /** What can be asked of it, for each of `columns`. */
  keys: IndexKey[]
  /** The predicate as a tree. */
  condition: Expression | null
  /** Of a partition, and made for the index of its table. */
  isOfParent: boolean
  /** That a foreign key or logical replication goes by it: it cannot be dropped. */
  isNeeded: boolean
  areNullsDistinct: boolean
  /** How often it was used since statistics began; null where that is not to be seen. */
  scans: number | null
  bytes: number
}

export interface IndexKey {
  /** attnum, 0 for an expression. */
  column: number
  expression: import('./parse-node-tree.ts').TreeNode | null
  operatorClass: number
  /** 0 for none. */
  collation: number
  /** Bits: descending, nulls first. */
  order: number
}

export interface Constraint {
  oid: number
  name: string
  sql: string
  /** c check, f foreign key, n not null (18), p primary key, u unique, x exclusion, t trigger. */
  type: 'c' | 'f' | 'n' | 'p' | 'u' | 'x' | 't'
  columns: number[]
  /** Of a foreign key: what it refers to. */
  refers: { relation: number; columns: number[]; onDelete: string; onUpdate: string } | null
  /** Whether it comes from the constraint of a table that this is a partition of. */
  isOfParent: boolean
  definition: string
  comment: string | null
}

export interface Routine {
  oid: number
  schema: Schema
  name: string
  /** `app.add(integer, integer)` */
  sql: string
  /** What `alter …` and `comment on …` call it: function, procedure, aggregate. */
  kind: 'function' | 'procedure' | 'aggregate' | 'window function'
  owner: number
  acl: AclItem[]
  language: string
  volatility: 'i' | 's' | 'v'
  isStrict: boolean
  isLeakproof: boolean
  isSecurityDefiner: boolean
  returnsSet: boolean
  returns: number
  /** `name=value`. */
  settings: string[]
  argumentTypes: number[]
  argumentNames: string[]
  /** Null for functions of Postgres' own, and of languages that are not written in text. */
  source: string | null
  /** Of a body that is parsed (`begin atomic`, `return …`): as Postgres prints it. */
  sqlBody: Expression | null
  /** As pg_get_functiondef prints it; of functions and procedures in sql and plpgsql. */
  definition: string | null
  /** Types of the columns of an answer that is described by `out` or `table`; null for any other. */
  answerTypes: number[] | null
  comment: string | null
  extension: number | null
  isAsked: boolean
}

export interface Operator {
  oid: number
  name: string
  schema: number
  function: number
  left: number
  right: number
}

export interface Type {
  oid: number
  schema: number
  name: string
  /** As format_type says it. */
  sql: string
  /** b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm'
  /** Of a domain: what it is of. */
  base: number
  /** Of an array: of what. */
  element: number
  /** Of a composite type or a table's row: the relation. */
  relation: number
  /** Of a composite type: its columns. Those of a table's row are the relation's. */
  fields: { name: string; type: number }[]
  /** Of a domain: `not null`, without a default. */
  isNeverNull: boolean
  input: number
  acl: AclItem[]
}

export interface Cast {
  source: number
  target: number
  /** 0 where none is called. */
  function: number
  /** e: only when it is written, a: in assignments, i: always. */
  context: 'e' | 'a' | 'i'
}

export interface DefaultPrivilege {
  /** Of what this role makes. */
  role: number
  /** null for every schema. */
  schema: number | null
  object: 'relation' | 'sequence' | 'function' | 'type' | 'schema' | 'large object'
  acl: AclItem[]
}
