/** What is different between two exposure maps, shaped as `exposure --diff --json` prints it. */
export interface Comparison {
  /** What can be reached that could not be before. */
  opened: Change[]
  /** What is other than it was, and may be more: to be looked at by somebody. */
  changed: Change[]
  closed: Change[]
  /** What is there or granted now, and by which nobody reaches a row. */
  new: Change[]
  /** Parts of a map that are missing in one of the two, and were not compared. */
  not_compared: string[]
}

export interface Change {
  /** `access`, `function`, `role` … */
  what: string
  /** The role that reaches more or less; null where it is no one's in particular. */
  role: string | null
  /** `app.notes`, `app.publish(integer)` … */
  object: string
  /** `select`, `execute`, `is a superuser` … */
  action: string
  /** Of an access: the columns that it is about; empty for all that can be meant. */
  columns: string[]
  /** In words, where there is more to say: which rows, and what decided before. */
  detail: string[]
  /** How far it goes, as what is told first goes by: everything, all rows, some of them, or none that is known. */
  reach: 'everything' | 'all' | 'some' | 'none'
}

/** What happens to one thing from one map to the other. */
export type Direction = 'opened' | 'closed' | 'changed' | 'new'

/** Takes down what is different. */
export class Notes {
  readonly comparison: Comparison = {
    opened: [],
    changed: [],
    closed: [],
    new: [],
    not_compared: [],
  }

  note(direction: Direction, change: Partial<Change> & Pick<Change, 'what' | 'object' | 'action'>) {
    this.comparison[direction].push({
      role: null,
      columns: [],
      detail: [],
      reach: 'none',
      ...change,
    })
  }

  /** Names that one list has more than the other. */
  names(
    before: readonly string[],
    after: readonly string[],
    change: (name: string) => Partial<Change> & Pick<Change, 'what' | 'object' | 'action'>,
    more: (name: string) => Direction = () => 'opened',
  ) {
    const [were, are] = [new Set(before), new Set(after)]
    for (const name of are) if (!were.has(name)) this.note(more(name), change(name))
    for (const name of were) if (!are.has(name)) this.note('closed', change(name))
  }
}
