/** Something that security or service stands on, and that is not as it has to be. */
export interface Finding {
  /** The check's name, stable: `role-attributes`. */
  check: string
  /**
   * `opens`: somebody can do or see what they should not; a node refuses to start. `hinders`: requests fail or are slow, or
   * a second line of defence is down. `tells`: worth knowing.
   */
  weight: Weight
  /** What it is about: `role webuser`. */
  object: string
  /** What is wrong: a sentence without its full stop. */
  what: string
  /** Why it matters. */
  why: string
  /** The SQL that mends it; null where it takes more than that. */
  mend: string | null
  /** Whether `pie doctor --mend` runs that: it takes nothing away but what nobody should have. */
  isSafe: boolean
}

export type Weight = 'opens' | 'hinders' | 'tells'

/** One of the catalogue: a question to Postgres' own catalog, which any role may ask. */
export interface Check {
  name: string
  /** Of what it finds, unless a row says otherwise. */
  weight: Weight
  why: string
  /**
   * Rows of `object`, `what`, `mend` and, where they differ from the check's, `weight` and `why`. $1 is the role of requests,
   * $2 that of the server's own work, $3 the owner.
   */
  query: string
  /** False where mending may take away what somebody wants. */
  isSafe?: false
}

/** Asks the catalog. */
export type Ask = (
  text: string,
  values?: readonly (string | null)[],
) => Promise<Record<string, unknown>[]>
