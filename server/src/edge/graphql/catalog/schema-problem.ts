/** What GraphQL cannot show as it is named, or not at all. */
export interface SchemaProblem {
  kind: 'renamed' | 'left-out'
  /** As a comment names it: `table app.users`. */
  object: string
  /** What has the name that it wanted; null where that is nothing of the database's. */
  other: string | null
  what: string
  /** What to do about it: mostly a statement. */
  mend: string
}

export const problemInWords = ({ object, what, mend }: SchemaProblem): string =>
  `${object} ${what}; ${mend}`
