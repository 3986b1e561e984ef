import type { Names } from '../names.ts'

/** What both say: a database may have Pie on Supabase. */
export function uniteNames(one: Names, other: Names): Names {
  return {
    requestRoles: uniteUnlessNull(one.requestRoles, other.requestRoles),
    directRoles: unite(one.directRoles, other.directRoles),
    identityFunctions: unite(one.identityFunctions, other.identityFunctions),
    identitySettings: unite(one.identitySettings, other.identitySettings),
    othersSchemas: unite(one.othersSchemas, other.othersSchemas),
    trustedRoles: unite(one.trustedRoles, other.trustedRoles),
    hookSchemas: unite(one.hookSchemas, other.hookSchemas),
    grantedSchemas: unite(one.grantedSchemas, other.grantedSchemas),
    heldPublications: unite(one.heldPublications, other.heldPublications),
    shownRoles: uniteUnlessNull(one.shownRoles, other.shownRoles),
    note: [one.note, other.note].filter((note) => note !== null).join('\n\n') || null,
  }
}

const unite = (one: readonly string[], other: readonly string[]): readonly string[] => [
  ...new Set([...one, ...other]),
]

const uniteUnlessNull = (
  one: readonly string[] | null,
  other: readonly string[] | null,
): readonly string[] | null => (one === null || other === null ? (one ?? other) : unite(one, other))
