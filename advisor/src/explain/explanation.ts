/** Why somebody can or cannot do something to a row. Shaped as `explain --json` prints it. */
export interface Explanation {
  /** Without id and email, whoever acts as the role. */
  user: { id: string | null; email: string | null; database_role: string | null }
  /** With its schema, quoted where it has to be. */
  table: string
  action: Action
  /** The row's key, or what is to be inserted; null when the whole table is asked about. */
  row: Record<string, string | null> | null
  /** `depends` when no row is named, and it is the policies that say which. */
  verdict: 'yes' | 'no' | 'depends'
  decided_by: Decision
  grants: Grant[]
  /** In the order in which Postgres asks. */
  questions: Question[]
  /** How many rows the user reaches, when no row is named. */
  reach: Reach | null
  tried: Tried | null
  cost: Cost | null
}

export const explainedActions = ['select', 'insert', 'update', 'delete'] as const
export type Action = (typeof explainedActions)[number]

export type Decision =
  | { kind: 'disabled' }
  | { kind: 'no_row' }
  | { kind: 'grant'; missing: string; mend: string }
  /** Everybody who has the grant can. */
  | { kind: 'row_security_off'; reason: string }
  | { kind: 'no_policy'; command: Action }
  | { kind: 'policies'; names: string[] }
  /** Grants and policies would have it otherwise: a constraint, a trigger, or what nobody foresaw. */
  | { kind: 'postgres'; said: string }

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
}

export interface Reach {
  /** The most that are counted. */
  most: number
  /** Null when it could not be counted. */
  rows: number | null
  /** Of how many, as the owner sees them; null when row-level security binds the owner too. */
  of: number | null
}

/** What came of doing it as the user. It was rolled back. */
export interface Tried {
  rows: number | null
  error: { code: string; message: string } | null
  /** Whether that is what grants and policies foretold. */
  is_as_foretold: boolean
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
