import type { Weight } from './weight.ts'

/** A rule that an object breaks. Rule and object together are of one finding. */
export interface Finding {
  rule: string
  weight: Weight
  object: string
  /** Why the rule is there: the same for all findings of a rule. */
  why: string
  /** What is particular about this object: what reads whom, by which columns. Null where the object says it all. */
  detail: string | null
  /** SQL, ready to be run by the owner; or a comment in SQL, where somebody has to decide. */
  mend: string
}
