import type { AclItem, Privilege, Relation, Routine, Schema } from '../catalog/catalog.ts'
import type { Standing } from './standing.ts'

const read = new Set<Privilege>(['select'])
const write = new Set<Privilege>(['insert', 'update', 'delete'])

export const isGranted = (
  acl: readonly AclItem[],
  { has }: Standing,
  ...privileges: Privilege[]
): boolean =>
  acl.some(({ grantee, privilege }) => has.has(grantee) && privileges.includes(privilege))

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
  for (const { number, acl } of relation.columns)
    if (acl.length > 0 && isGranted(acl, standing, privilege)) granted.push(number)
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
