/** Why somebody can or cannot do something to a row. Shaped as `explain --json` prints it. */
export interface Explanation {
  /** Without id and email, whoever acts as the role. */
  user: { id: string | null; email: string | null; database_role: string | null }
  /** With its schema, quoted where it has to be. */
  table: string
  kind: RelationKind
  action: Action
  /** The row's key, or what is to be inserted; null when the whole table is asked about. */
  row: Record<string, string | null> | null
  /**
   * What came of it when it was run. Without a row: `yes` of every row that is there, `depends` of some of
   * them, `unknown` where there was nothing to run it on.
   */
  verdict: 'yes' | 'no' | 'depends' | 'unknown'
  decided_by: Decision
  grants: Grant[]
  /** In the order in which Postgres asks. */
  questions: Question[]
  /** How many rows the user reaches, when no row is named. */
  reach: Reach | null
  tried: Tried | null
  /** The same, as API servers and libraries send it; none where the plain statement fails already. */
  variants: Variant[]
  cost: Cost | null
  /** What the policies go by to know who asks, where it is not there; a sentence each. */
  hints: string[]
  /** What else has to be known to read the verdict rightly, a sentence each. */
  notes: string[]
}

export const explainedActions = ['select', 'insert', 'update', 'delete'] as const
export type Action = (typeof explainedActions)[number]

export type RelationKind =
  | 'table'
  | 'partitioned table'
  | 'view'
  | 'materialized view'
  | 'foreign table'

export type Decision =
  | { kind: 'disabled' }
  | { kind: 'no_row' }
  /** No row at all is there to show what its policies say. */
  | { kind: 'no_rows'; names: string[] }
  /** Which rows may be inserted, the policies say of a row; none was given. */
  | { kind: 'no_row_given'; names: string[] }
  | { kind: 'grant'; missing: string; mend: string }
  /** Everybody who has the grant can. */
  | { kind: 'row_security_off'; reason: string }
  | { kind: 'no_policy'; command: Action }
  | { kind: 'policies'; names: string[] }
  /** A view has no policies; those of what it reads are asked as `reads_as`, where any `binds` it. */
  | { kind: 'view'; reads: string[]; reads_as: string; binds: boolean }
  /** It was not run: why not. */
  | { kind: 'not_tried'; reason: string }
  /** What Postgres answered when it was run: an error, or what grants and policies would have otherwise. */
  | PostgresDecision

export interface PostgresDecision {
  kind: 'postgres'
  said: string
  /** SQLSTATE; null when it was no error. */
  code: string | null
  /** The policy that it comes from; null when it comes from none, or that could not be found. */
  policy: string | null
  /** All that fail so by themselves; of a circle, each on the way round. */
  policies: Culprit[]
  /** Where in functions and triggers it happened, as Postgres tells. */
  context: string | null
  /** Where all rows at once fail: how many go through one by one, of those that were tried. */
  one_by_one: { done: number; tried: number } | null
  /** What would mend it, where that can be said. */
  mend: string | null
}

export interface Culprit {
  table: string
  policy: string
}

/** Something that the action needs. */
export interface Grant {
  what: string
  is_granted: boolean
  /** The statement that would grant it. */
  mend: string
}

/** What one kind of policy has to say to one row. */
export interface Question {
  command: Action
  part: 'using' | 'with check'
  of: 'the row' | 'the new row'
  /** Null when no row is named, or a policy could not be evaluated. */
  passes: boolean | null
  policies: AskedPolicy[]
}

export interface AskedPolicy {
  name: string
  is_restrictive: boolean
  roles: string[]
  expression: string
  /** As Postgres has evaluated it for the user; null also where it was not asked. */
  result: boolean | null
  error: string | null
  /** The SQLSTATE of the error. */
  code?: string | null
}

export interface Reach {
  /** The most that are counted. */
  most: number
  /** Null when it could not be counted. */
  rows: number | null
  /** Of how many, as the owner sees them; null when row-level security binds the owner too. */
  of: number | null
  /** It was tried on the first `most` that the user sees, and not on the others. */
  is_bounded: boolean
}

/** What came of doing it as the user. It was rolled back. */
export interface Tried {
  rows: number | null
  error: Refusal | null
  /** Whether that is what grants and policies foretold. */
  is_as_foretold: boolean
  /** What was run. */
  statement: string
}

export interface Refusal {
  code: string
  message: string
  /** Where in functions and triggers. */
  context: string | null
}

export interface Variant {
  form: 'returning' | 'on conflict do nothing' | 'on conflict do update'
  statement: string
  rows: number | null
  error: Refusal | null
}

/** What the statement cost as the user, in milliseconds and 8 kB pages. */
export interface Cost {
  total_ms: number
  planning_ms: number
  rows: number
  pages: number
  /** Rows that were read and then filtered away. */
  rows_removed: number
  /** Plan nodes that stand in no part of the statement itself: they are the policies'. */
  /** What the node computes or reads is its `node`. */
  policy_nodes: { name: string; node: string; ms: number; loops: number }[]
  policies_ms: number
  /** The same statement for the owner, whom no policy binds; null when one does. */
  without_policies_ms: number | null
}
