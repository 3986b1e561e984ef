/** Something that may be left out: a table, a function; or, first, the smart tags of one. */
export interface Unit {
  oid: string
  object: string
  isTagged: boolean
}
