/** A place in the database that breaks a rule, and what to run there. */
export interface Fault {
  /** Names the object as the catalog does: `table app.notes`, `grant to webuser on table app.notes`. */
  object: string
  /** SQL for this very object, ready to be run by its owner. */
  mend: string
}

/** A rule about the objects of some schemas, as one question to the catalog. */
export interface Rule {
  name: string
  /** What goes wrong where it is broken. */
  why: string
  /** Runs with the names of the schemas as $1, and a search_path on which nothing but pg_catalog is. */
  query: string
  /** Makes faults of a row that is more than `object` and `mend`. */
  // biome-ignore lint/suspicious/noExplicitAny: each rule knows the columns of its own query
  read?: (row: any) => Fault[]
}
