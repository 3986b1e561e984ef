/** A rule that an object breaks. Rule and object together are of one finding. */
export interface Finding {
  rule: string
  object: string
  why: string
  mend: string
}
