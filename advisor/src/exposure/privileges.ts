import type { AclItem, Privilege } from '../catalog/acl.ts'
import type { Column, Relation, Routine, Schema } from '../catalog/catalog.ts'
import type { Standing } from './standing.ts'

const read = new Set<Privilege>(['select'])
const write = new Set<Privilege>(['insert', 'update', 'delete'])

/** By grantee. Objects that are granted alike share one list, and many roles are asked about each. */
const known = new WeakMap<readonly AclItem[], Map<number, Set<Privilege>>>()

function byGrantee(acl: readonly AclItem[]): Map<number, Set<Privilege>> {
  const found = known.get(acl) ?? new Map<number, Set<Privilege>>()
  if (known.has(acl)) return found
  known.set(acl, found)
  for (const { grantee, privilege } of acl)
    found.set(grantee, (found.get(grantee) ?? new Set()).add(privilege))
  return found
}

export function isGranted(
  acl: readonly AclItem[],
  { has }: Standing,
  privilege: Privilege,
): boolean {
  if (acl.length === 0) return false
  const of = byGrantee(acl)
  for (const oid of has) if (of.get(oid)?.has(privilege) === true) return true
  return false
}

const withRights = new WeakMap<Relation, Column[]>()

/** The columns of which something is granted by itself. */
export function columnsWithRights(relation: Relation): Column[] {
  const found = withRights.get(relation) ?? relation.columns.filter(({ acl }) => acl.length > 0)
  withRights.set(relation, found)
  return found
}

/** As pg_class_aclmask() answers, for a whole relation. */
export function mayOnRelation(
  standing: Standing,
  { acl }: Pick<Relation, 'acl'>,
  privilege: Privilege,
): boolean {
  if (standing.isSuperuser) return true
  if (standing.readsAll && read.has(privilege)) return true
  if (standing.writesAll && write.has(privilege)) return true
  if (standing.maintainsAll && privilege === 'maintain') return true
  return isGranted(acl, standing, privilege)
}

/** The numbers of the columns that a role may use so; `all` where it may the whole relation. */
export function columnsGranted(
  standing: Standing,
  relation: Relation,
  privilege: 'select' | 'insert' | 'update' | 'references',
): 'all' | number[] {
  if (mayOnRelation(standing, relation, privilege)) return 'all'
  const granted: number[] = []
  for (const { number, acl } of columnsWithRights(relation))
    if (isGranted(acl, standing, privilege)) granted.push(number)
  return granted
}

/** Whether it may name what stands in a schema. */
export const mayUse = (standing: Standing, { acl }: Pick<Schema, 'acl'>): boolean =>
  standing.isSuperuser ||
  standing.readsAll ||
  standing.writesAll ||
  isGranted(acl, standing, 'usage')

export const mayCreateIn = (standing: Standing, { acl }: Pick<Schema, 'acl'>): boolean =>
  standing.isSuperuser || isGranted(acl, standing, 'create')

export const mayExecute = (standing: Standing, { acl }: Pick<Routine, 'acl'>): boolean =>
  standing.isSuperuser || isGranted(acl, standing, 'execute')

/** What no statement of an API server such as PostgREST comes to: it knows select, insert, update, delete and calls. */
export const isUnknownToApi = (privilege: string): boolean =>
  ['truncate', 'references', 'trigger', 'maintain'].includes(privilege)
