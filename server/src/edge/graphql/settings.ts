/** What a request may become: each of them has a schema of its own. */
export type DatabaseRole = 'webuser' | 'webadmin'

/** What the operator has decided of GraphQL. */
export interface GraphqlSettings {
  /** The schemas of the application that are shown, beside pie_schema. */
  schemas: readonly string[]
  /** Whether clients may ask what there is, and are told what they may have meant. */
  showsItself: boolean
  /** Whether there is an editor at /graphql/editor. */
  hasEditor: boolean
  /** Whether a change of the database is seen without a restart: at the cost of a look at each request. */
  isWatching: boolean
  maxDepth: number
  maxCost: number
  /** In bytes: of what Postgres sends for one answer, and of what is answered. */
  maxAnswerSize: number
}
