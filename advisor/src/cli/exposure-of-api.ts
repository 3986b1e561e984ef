import type { ExposedRelation, Exposure } from '../exposure/exposure.ts'
import { isUnknownToApi } from '../exposure/privileges.ts'

/** A map without what an API server's statements never come to: it is said once, and not for each table. */
export const withoutUnreached = (exposure: Exposure): Exposure => ({
  ...exposure,
  relations: exposure.relations.map((relation) => ({
    ...relation,
    access: relation.access.filter(({ action }) => !isUnknownToApi(action)),
    rights: [],
  })),
})

/** `truncate, references, trigger` of how many tables, a line for the roles that have it; none where an API server makes no statements. */
export function unreachedInWords(exposure: Exposure | null): string[] {
  const tables = new Map<string, { roles: string[]; privileges: Set<string>; names: string[] }>()
  const told = new Map<string, Map<string, Set<string>>>()
  for (const relation of exposure?.relations ?? [])
    for (const [role, privilege] of unreachedOf(relation)) {
      const of = told.get(role) ?? new Map<string, Set<string>>()
      told.set(role, of)
      of.set(privilege, (of.get(privilege) ?? new Set()).add(`${relation.schema}.${relation.name}`))
    }
  for (const [role, of] of told)
    for (const [privilege, names] of of) {
      const key = `${role} ${[...names].join()}`
      const found = tables.get(key) ?? {
        roles: [role],
        privileges: new Set<string>(),
        names: [...names],
      }
      found.privileges.add(privilege)
      tables.set(key, found)
    }
  return mergedByRole([...tables.values()]).map(
    ({ roles, privileges, names }) =>
      `${roles.join(', ')}: ${[...privileges].join(', ')} on ${inWords(names)}, which no statement of an API server comes to`,
  )
}

function mergedByRole(lines: { roles: string[]; privileges: Set<string>; names: string[] }[]) {
  const merged = Map.groupBy(lines, ({ privileges, names }) =>
    JSON.stringify([[...privileges], names]),
  )
  return [...merged.values()].map((of) => ({
    privileges: of[0]?.privileges ?? new Set<string>(),
    names: of[0]?.names ?? [],
    roles: of.flatMap(({ roles }) => roles),
  }))
}

const MOST_NAMED = 3

const inWords = (names: readonly string[]): string =>
  names.length <= MOST_NAMED
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMED).join(', ')} and ${names.length - MOST_NAMED} more`

export const unreachedOf = ({ access, rights }: ExposedRelation): [string, string][] => [
  ...access
    .filter(({ action, allowed }) => allowed && isUnknownToApi(action))
    .map(({ role, action }): [string, string] => [role, action]),
  ...rights.flatMap(({ role, privileges }) =>
    privileges.map((privilege): [string, string] => [role, privilege]),
  ),
]
