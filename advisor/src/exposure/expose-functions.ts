import { createHash } from 'node:crypto'
import type { Catalog, Routine } from '../catalog/catalog.ts'
import type { ExposedFunction } from './exposure.ts'
import { findReach, namesOfBodies } from './find-reach.ts'
import { mayExecute, mayUse } from './privileges.ts'
import type { Standing } from './standing.ts'
import type { Known } from './statement/judge.ts'

/**
 * The functions of the schemas that are asked about, and of Postgres' own those that one of the roles has been given.
 *
 * @param words the names in what decides who reaches what
 */
export function exposeFunctions(
  { catalog, standings, particulars }: Known,
  roles: readonly Standing[],
  words: ReadonlySet<string>,
): ExposedFunction[] {
  const names = namesOfBodies(catalog)
  const triggered = functionsOfTriggers(catalog)
  const everyone = standings.of(0)
  const shown: (ExposedFunction & { isOwn: boolean })[] = []
  for (const routine of catalog.functions.values()) {
    const isGivenAway = routine.schema.name === 'pg_catalog' && !mayExecute(everyone, routine)
    if (!routine.isAsked && !isGivenAway) continue
    const executable = roles.filter(
      (role) =>
        (!isGivenAway || !role.isSuperuser) &&
        mayUse(role, routine.schema) &&
        mayExecute(role, routine),
    )
    if (isGivenAway && executable.length === 0) continue
    const described = particulars.functions.get(routine.oid)
    shown.push({
      schema: routine.schema.name,
      signature: described?.signature ?? routine.sql,
      returns: described === undefined ? null : described.returns,
      kind: routine.kind,
      security: routine.isSecurityDefiner ? 'definer' : 'invoker',
      executable_by: executable.map(({ name }) => name),
      reach: findReach(catalog, standings, names, routine),
      body:
        (routine.isSecurityDefiner && executable.length > 0) ||
        triggered.has(routine.oid) ||
        words.has(routine.name.toLowerCase())
          ? hashOf(routine)
          : null,
      isOwn: isGivenAway,
    })
  }
  return shown
    .sort(
      (a, b) =>
        Number(a.isOwn) - Number(b.isOwn) ||
        compare(a.schema, b.schema) ||
        compare(a.signature, b.signature),
    )
    .map(({ isOwn, ...one }) => one)
}

const functionsOfTriggers = ({ relations }: Catalog): Set<number> =>
  new Set([...relations.values()].flatMap(({ triggers }) => triggers.map((one) => one.function)))

/** Not the text itself, which may be long, and may hold what is not for everybody who is sent a map. */
const hashOf = ({ language, source, sqlBody, settings, volatility, isStrict }: Routine): string =>
  createHash('sha256')
    .update(JSON.stringify([language, sqlBody?.text ?? source, settings, volatility, isStrict]))
    .digest('hex')
    .slice(0, 16)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
