import { aclReader } from '../catalog/parse-acl.ts'
import type { ExposedDefault, ExposedLargeObjects } from './exposure.ts'
import { isGranted } from './privileges.ts'
import type { Standing } from './standing.ts'
import type { Known } from './statement/judge.ts'

/** What these roles will have on what is made later. */
export function exposeDefaults(
  { catalog, standings }: Known,
  roles: readonly Standing[],
): ExposedDefault[] {
  return catalog.defaultPrivileges
    .flatMap(({ role: maker, schema: oid, object, acl }) => {
      const schema = oid === null ? null : catalog.schemas.get(oid)
      if (schema !== null && schema?.isAsked !== true) return []
      // What it makes is its own anyway.
      const others = acl.filter(({ grantee }) => grantee !== maker)
      const grants = roles.flatMap((role) => {
        const privileges = [
          ...new Set(
            others.filter(({ grantee }) => role.has.has(grantee)).map(({ privilege }) => privilege),
          ),
        ].sort()
        return privileges.length === 0 ? [] : [{ role: role.name, privileges }]
      })
      if (grants.length === 0) return []
      return [{ made_by: standings.of(maker).name, schema: schema?.name ?? null, object, grants }]
    })
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

const keyOf = ({ made_by, schema, object }: ExposedDefault) =>
  `${made_by} ${schema ?? ''} ${object}`

export function exposeLargeObjects(
  { catalog, standings, particulars }: Known,
  roles: readonly Standing[],
): ExposedLargeObjects[] {
  const readAcl = aclReader(
    new Map([...catalog.roles.values()].map(({ name, oid }) => [name, oid])),
  )
  return particulars.largeObjects.flatMap(({ owner, acl, count, first }) => {
    const items = readAcl(acl)
    const access = roles.flatMap((role) => {
      const may = (action: 'select' | 'update') =>
        role.isSuperuser || isGranted(items, role, action)
      // Postgres opens what is to be written for reading too.
      const actions = (['select', 'update'] as const).filter(
        (action) => may('select') && may(action),
      )
      return actions.length === 0 ? [] : [{ role: role.name, actions }]
    })
    return access.length === 0 ? [] : [{ owner: standings.of(owner).name, count, first, access }]
  })
}
