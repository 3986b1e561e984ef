import type { Catalog } from '../catalog/catalog.ts'
import type { Names } from '../names.ts'
import type { Weight } from './weight.ts'

/** A place in the database that breaks a rule, and what to run there. */
export interface Fault {
  /** Names the object as SQL does: `table app.notes`, `grant to webuser on table app.notes`. */
  object: string
  /** What is particular about this one, in a sentence without a full stop. */
  detail?: string
  /** Graver or lighter than the rule is, where the object makes it so. */
  weight?: Weight
  /** SQL for this very object, ready to be run by its owner. */
  mend: string
}

/** A rule about a database: a pure function of its catalog. */
export interface Rule {
  name: string
  weight: Weight
  /** What goes wrong where it is broken. */
  why: string
  find(catalog: Catalog, names: Names): Fault[]
}
