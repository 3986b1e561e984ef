import type { Fault } from './rule.ts'

/** A rule that is a question to the catalog of its own: those that are not yet functions of the catalog. */
export interface QueriedRule {
  name: string
  why: string
  query: string
  // biome-ignore lint/suspicious/noExplicitAny: each rule knows the columns of its own query
  read?: (row: any) => Fault[]
}
