import { createHash } from 'node:crypto'
import type { Catalog } from '../catalog/catalog.ts'
import type { Failed } from './find-what-fails.ts'

/** What could not be built before, so that the next build need not look for it again. */
export interface FailedMemory {
  /** As far as it is still as it was. */
  recall(catalog: Catalog): Failed[]
  remember(failed: readonly Failed[], catalog: Catalog): void
}

/** Each is remembered with what the catalog says of it: with another comment, another column it is tried again. */
export function createFailedMemory(): FailedMemory {
  let remembered: { failed: Failed; print: string }[] = []
  return {
    recall(catalog) {
      const printOf = printer(catalog)
      return remembered
        .filter(({ failed, print }) => printOf(failed.unit.oid) === print)
        .map(({ failed }) => failed)
    },
    remember(failed, catalog) {
      const printOf = printer(catalog)
      remembered = failed.map((one) => ({ failed: one, print: printOf(one.unit.oid) }))
    },
  }
}

function printer(catalog: Catalog): (oid: string) => string {
  const { classes, procs, attributes, constraints, descriptions } = catalog
  const all = Map.groupBy<string, object>(
    [...classes, ...procs, ...attributes, ...constraints, ...descriptions],
    (one) => {
      const { attrelid, conrelid, objoid, _id } = one as Record<string, string | undefined>
      return attrelid ?? conrelid ?? objoid ?? _id ?? ''
    },
  )
  return (oid) =>
    createHash('sha256')
      .update(JSON.stringify(all.get(oid) ?? null))
      .digest('base64')
}
