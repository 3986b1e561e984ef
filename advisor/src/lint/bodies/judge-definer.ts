import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { givenTo } from '../sql-text/given-in.ts'
import { showsCredential } from '../sql-text/shows-credential.ts'
import { judgeReads } from './judge-reads.ts'
import { judgeWrites } from './judge-writes.ts'
import { type Judged, keptFrom } from './kept-from.ts'

/** What a definer reads or writes that is kept from those who may call it; null for nothing that is sure. */
export function judgeDefiner(
  catalog: Catalog,
  routine: Routine,
  callers: readonly number[],
): Judged | null {
  const given = givenTo(routine)
  if (showsCredential(routine, given)) return null
  return (
    judgeWrites(catalog, callers, given) ??
    judgeReads(catalog, routine, keptFrom(catalog, callers, routine), given)
  )
}
