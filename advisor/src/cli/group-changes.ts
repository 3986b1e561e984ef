import type { Change } from '../exposure/diff/comparison.ts'
import { onOneLine } from '../printable.ts'

/** What some roles can now do, or no longer, with one object. */
export interface ChangesOfObject {
  what: string
  roles: string[]
  object: string
  /** With what there is to say of each; those of which the same is to be said stand together. */
  acts: { actions: Act[]; detail: string[] }[]
}

export interface Act {
  action: string
  columns: string[]
  /** Whether it is in other rows, and not that it may be done at all. */
  isOfRows: boolean
}

interface Alike extends Omit<Change, 'role'> {
  roles: string[]
}

/** Gravest first, and of one object together; what is alike but for whose it is, or for the action, is one. */
export function groupChanges(changes: readonly Change[]): ChangesOfObject[] {
  const alike = alikeIn(changes.map(printableChange))
  const gravest = new Map<string, number>()
  for (const one of alike)
    gravest.set(one.object, Math.min(gravityOf(one), gravest.get(one.object) ?? Infinity))
  const keyOf = (one: Alike) => [gravest.get(one.object) ?? 0, one.object, gravityOf(one)] as const
  const sorted = alike
    .map((one) => ({ one, key: keyOf(one) }))
    .sort(
      ({ key: a }, { key: b }) =>
        a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0) || a[2] - b[2],
    )
  const groups = Map.groupBy(sorted, ({ one: { what, object, roles } }) =>
    JSON.stringify([isOfStatement(what) ? 'access' : what, object, roles]),
  )
  return [...groups.values()].map((of) => together(of.map(({ one }) => one)))
}

/** Rows of a table, and what may be done with it, are told in one. */
const isOfStatement = (what: string): boolean => what === 'access' || what === 'rows'

function alikeIn(changes: readonly Change[]): Alike[] {
  const found = new Map<string, Alike>()
  for (const { role, ...change } of changes) {
    const key = JSON.stringify(change)
    const one = found.get(key) ?? { ...change, roles: [] }
    if (role !== null) one.roles.push(role)
    found.set(key, one)
  }
  return [...found.values()]
}

const reaches = ['everything', 'all', 'some', 'none']

/** All rows before some, everybody before a few; row-level security before what comes of it. */
const gravityOf = ({ reach, roles, what }: Alike): number =>
  reaches.indexOf(reach) * 1000 -
  (roles.includes('PUBLIC') ? 500 : Math.min(roles.length, 100) * 2) -
  (['row-level security', 'relation'].includes(what) ? 900 : 0)

function together(group: readonly Alike[]): ChangesOfObject {
  const [{ what, roles, object }] = group as [Alike]
  const by = Map.groupBy(group, ({ detail }) => JSON.stringify(detail))
  return {
    ...{ what, roles, object },
    acts: [...by.values()].map((of) => ({
      actions: of.map(({ action, columns, what: kind }) => ({
        ...{ action, columns },
        isOfRows: kind === 'rows',
      })),
      detail: of[0]?.detail ?? [],
    })),
  }
}

const MOST_SHOWN = 400

const printableChange = ({ detail, ...change }: Change): Change => ({
  ...change,
  role: change.role === null ? null : onOneLine(change.role),
  object: onOneLine(change.object),
  action: onOneLine(change.action),
  columns: change.columns.map(onOneLine),
  detail: detail.map((line) => cut(onOneLine(line.replaceAll(/\s+/g, ' ').trim()))),
})

const cut = (line: string): string =>
  line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)} …` : line
