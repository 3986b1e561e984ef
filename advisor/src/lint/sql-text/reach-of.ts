import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'
import { bodyOf } from './body-of.ts'
import { findNames, type WrittenName } from './find-names.ts'
import { nameIndexOf } from './name-index.ts'
import { readTokens, type Token } from './read-tokens.ts'

export type Deed = 'select' | 'insert' | 'update' | 'delete' | 'truncate'

/** What the text of a function names, as far as that can be resolved. Nothing of what it only makes up as it runs. */
export interface Reach {
  relations: { relation: Relation; deed: Deed }[]
  routines: Routine[]
  /** Calls with a schema before them that name no function there is. */
  unknownCalls: string[]
}

const known = new WeakMap<Routine, Reach>()

export function reachOf(catalog: Catalog, routine: Routine): Reach {
  const found = known.get(routine) ?? readReach(catalog, routine)
  known.set(routine, found)
  return found
}

function readReach(catalog: Catalog, routine: Routine): Reach {
  const tokens = bodyOf(routine)
  const index = nameIndexOf(catalog)
  const path = searchPathOf(routine)
  const reach: Reach = { relations: [], routines: [], unknownCalls: [] }
  for (const name of findNames(tokens)) {
    const deed = deedOf(tokens, name)
    if (!name.isCalled || deed !== null) {
      const relation = index.findRelation(name.parts, deed === null ? [] : path)
      if (relation !== undefined) reach.relations.push({ relation, deed: deed ?? 'select' })
    }
    if (!name.isCalled || deed !== null) continue
    const routines = index.findRoutines(name.parts, path)
    reach.routines.push(...routines)
    if (routines.length === 0 && name.parts.length > 1)
      reach.unknownCalls.push(name.parts.join('.'))
  }
  return reach
}

/** What is done with the table of this name, where the words before it say so; null where they name no table. */
function deedOf(tokens: readonly Token[], { before, from }: WrittenName): Deed | null {
  const isOnly = before === 'only'
  const word = isOnly ? tokens[from - 2]?.value : before
  const wordBefore = tokens[from - (isOnly ? 3 : 2)]?.value
  if (word === 'from') return wordBefore === 'delete' ? 'delete' : 'select'
  if (word === 'into')
    return wordBefore === 'insert' ? 'insert' : wordBefore === 'merge' ? 'update' : null
  if (word === 'join' || word === 'using') return 'select'
  if (word === 'update') return 'update'
  return word === 'truncate' || (word === 'table' && wordBefore === 'truncate') ? 'truncate' : null
}

/** The schemas on its own search path, or null where it has none: then its caller says. */
export function searchPathOf({ settings }: Pick<Routine, 'settings'>): string[] | null {
  const setting = settings.find((one) => one.startsWith('search_path='))
  if (setting === undefined) return null
  return readTokens(setting.slice('search_path='.length))
    .filter(({ type, value }) => type !== 'sign' && value !== '')
    .map(({ value }) => value)
}
