/** What cannot be read from a catalog, because it is only an agreement: the names that an application goes by. */
export interface Names {
  /** The database roles that requests arrive or act as. Null for those that the catalog suggests. */
  requestRoles: readonly string[] | null
  /** Of these, those that log in and act as themselves, beside the ones that a platform's requests become. */
  directRoles: readonly string[]
  /** Functions that say who asks, and can be trusted to: `auth.uid`, with their schema and without arguments. */
  identityFunctions: readonly string[]
  /** Settings that say who asks, which nobody but the server in front sets: `request.jwt.claims`; a dot at the end stands for all below it. */
  identitySettings: readonly string[]
  /** Schemas that are somebody else's, and are not looked at unless they are named. */
  othersSchemas: readonly string[]
  /** Roles that are past policies, or log in, on purpose: nobody outside can act as one of them. `service_role` of Supabase. */
  trustedRoles: readonly string[]
  /** Schemas whose functions are called when something has happened, and by nobody but their owner's code. */
  hookSchemas: readonly string[]
  /**
   * Schemas in which the platform grants requests all that is made there, by default privileges of its own: policies alone
   * say who sees what, and its API is the only way in.
   */
  grantedSchemas: readonly string[]
  /** Publications whose subscriber holds each change against the policies of its table before it passes it on. */
  heldPublications: readonly string[]
  /** The roles that an exposure map shows. Null for those that requests may act as. */
  shownRoles: readonly string[] | null
  /** What a reader of an exposure map has to know of these policies; null for nothing. */
  note: string | null
}

/** For a database of which nothing is known. */
export const noNames: Names = {
  requestRoles: null,
  directRoles: [],
  identityFunctions: [],
  identitySettings: [],
  othersSchemas: [],
  trustedRoles: [],
  hookSchemas: [],
  grantedSchemas: [],
  heldPublications: [],
  shownRoles: null,
  note: null,
}
