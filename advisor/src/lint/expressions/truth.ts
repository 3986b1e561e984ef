/**
 * What a condition may come to, over every row there may be: a set of true, false and null, as bits. Unknown is all three.
 */
export type Truth = number
export const TRUE = 1
export const FALSE = 2
export const NULL = 4
export const UNKNOWN = TRUE | FALSE | NULL

const each = [TRUE, FALSE, NULL]
const of = (set: Truth) => each.filter((one) => (set & one) !== 0)

const combine = (one: Truth, other: Truth, rule: (a: number, b: number) => number): Truth =>
  of(one).reduce((all, a) => of(other).reduce((set, b) => set | rule(a, b), all), 0)

export const and = (one: Truth, other: Truth): Truth =>
  combine(one, other, (a, b) =>
    a === FALSE || b === FALSE ? FALSE : a === NULL || b === NULL ? NULL : TRUE,
  )

export const or = (one: Truth, other: Truth): Truth =>
  combine(one, other, (a, b) =>
    a === TRUE || b === TRUE ? TRUE : a === NULL || b === NULL ? NULL : FALSE,
  )

export const not = (one: Truth): Truth =>
  of(one).reduce((set, a) => set | (a === NULL ? NULL : a === TRUE ? FALSE : TRUE), 0)

/** Whether it is so for every row. */
export const isAlways = (set: Truth): boolean => set === TRUE

/** Whether it is so for no row: null lets nothing through. */
export const isNever = (set: Truth): boolean => (set & TRUE) === 0
