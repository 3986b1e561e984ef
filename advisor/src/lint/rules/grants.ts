import type { Catalog, Column, Relation } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { type Surroundings, surroundingsOf } from '../asking/surroundings.ts'
import { privilegeColumns } from '../rights/privilege-columns.ts'
import {
  allGrants,
  byGrantee,
  grantable,
  grantInWords,
  grantsOn,
  type RelationGrant,
  roleIn,
} from '../rights/relation-grants.ts'
import { isPastPolicies, policiesFor } from '../rights/role-rights.ts'
import { isSensitive } from '../rights/sensitive-columns.ts'
import { isSqlOfAnApi } from '../rights/sql-of-an-api.ts'
import type { Fault, Rule } from '../rule.ts'

type Told = Omit<Fault, 'object'>

/** One fault for each role and object that some of the grants are about. */
function perGrant(
  catalog: Catalog,
  isFault: (grant: RelationGrant) => boolean,
  tell: (relation: Relation, role: string, grants: readonly RelationGrant[]) => Told | null,
): Fault[] {
  return byGrantee(allGrants(catalog).filter(isFault)).flatMap((grants) => {
    const [{ relation, grantee }] = grants as [RelationGrant]
    const told = tell(relation, roleIn(catalog, grantee), grants)
    return told === null ? [] : [{ object: grantInWords(catalog, relation, grantee), ...told }]
  })
}

const privilegesOf = (grants: readonly RelationGrant[]): string =>
  [...new Set(grants.map(({ privilege }) => privilege))].sort().join(', ')

/** Given whole only where it is whole already: a mend shows nobody more than they saw. */
export const selectListsColumns: Rule = {
  name: 'select-lists-columns',
  weight: 'style',
  why:
    'A list of readable columns breaks select *, and a column is one slip from being on it: what only ' +
    'some may read belongs in a table of its own, one to one.',
  find: (catalog) =>
    perGrant(
      catalog,
      ({ privilege, grantee }) => privilege === 'select' && grantee !== 0,
      (relation, role, grants) => {
        const listed = grants.flatMap(({ column }) => (column === null ? [] : [column]))
        // Where there is a secret to be kept from being read, a list is better than none.
        if (listed.length === 0 || relation.columns.some(isSensitive)) return null
        const isWhole = grants.length > listed.length || listed.length === relation.columns.length
        const revoke = `revoke select on ${relation.sql} from ${role};\n`
        const grant = `grant select on ${relation.sql} to ${role};`
        const later = `-- and when the other columns are in a table of their own: ${grant}`
        if (isWhole) return { mend: revoke + grant }
        const [{ grantee }] = grants as [RelationGrant]
        // Whoever changes rows has to read which.
        const isNeeded = grantsOn(relation).some(
          (one) =>
            one.grantee === grantee && (one.privilege === 'update' || one.privilege === 'delete'),
        )
        if (isNeeded) return { mend: later }
        return { mend: revoke + revokeNumbers(catalog, relation, grantee) + later }
      },
    ),
}

/** Who reads no row any more is not to read from the sequence how many there are. */
const revokeNumbers = (catalog: Catalog, { oid }: Relation, grantee: number): string =>
  sequencesOf(catalog, oid)
    .filter(({ acl }) =>
      acl.some((item) => item.grantee === grantee && item.privilege === 'select'),
    )
    .map(({ sql }) => `revoke select on sequence ${sql} from ${roleIn(catalog, grantee)};\n`)
    .join('')

const sequencesOf = ({ relations }: Catalog, table: number): Relation[] =>
  [...relations.values()].filter(({ ownedBy }) => ownedBy?.relation === table)

function onWholeTable(
  around: Surroundings,
  { trustedRoles }: Names,
  privilege: 'insert' | 'update',
): Fault[] {
  const { catalog } = around
  // Who is past policies on purpose is past lists of columns too.
  const isTrusted = (role: number) => trustedRoles.includes(catalog.roles.get(role)?.name ?? '')
  return perGrant(
    catalog,
    (grant) =>
      grant.privilege === privilege &&
      grant.column === null &&
      grant.grantee !== 0 &&
      !isTrusted(grant.grantee) &&
      grant.relation.kind !== 'S',
    (relation, role, [grant]) => {
      const writable = relation.columns.filter(isWritable)
      const columns = writable.map(({ sql }) => sql).join(', ')
      const revoke = `revoke ${privilege} on ${relation.sql} from ${role};`
      const again = `\n-- without the columns that are not theirs to write:\ngrant ${privilege} (${columns}) on ${relation.sql} to ${role};`
      const raising =
        privilege === 'update'
          ? privilegeColumns(around, relation, grant?.grantee ?? 0, writable)
          : []
      const left = writable.filter((column) => !raising.includes(column))
      if (raising.length === 0) return { mend: writable.length === 0 ? revoke : revoke + again }
      return {
        weight: 'hole',
        detail: `whose row it is may set ${raising.map(({ name }) => name).join(', ')}`,
        mend: revoke + again.replace(columns, left.map(({ sql }) => sql).join(', ')),
      }
    },
  )
}

const isWritable = ({ isGenerated, identity }: Column): boolean => !isGenerated && identity !== 'a'

export const insertOnWholeTable: Rule = {
  name: 'insert-on-whole-table',
  weight: 'style',
  why:
    'It covers every column that will ever be added, and the ones that the database fills: whoever ' +
    'made the row, when, whether it is verified.',
  find: (catalog, names) => onWholeTable(surroundingsOf(catalog, names), names, 'insert'),
}

export const updateOnWholeTable: Rule = {
  name: 'update-on-whole-table',
  weight: 'style',
  why:
    'It covers every column that will ever be added: a policy says which rows may be changed, and ' +
    'only the list of columns what in them, such as the owner or whether it is verified.',
  find: (catalog, names) => onWholeTable(surroundingsOf(catalog, names), names, 'update'),
}

/** PostgreSQL manual, 5.9: operations on the whole table are not subject to row security. */
export const grantPastPolicies: Rule = {
  name: 'grant-past-policies',
  weight: 'hole',
  why:
    'Policies do not hold for truncate, which empties the table of everybody, nor for references, ' +
    'with which foreign keys ask which values there are.',
  find: (catalog, names) =>
    perGrant(
      catalog,
      ({ privilege, grantee }) =>
        (privilege === 'truncate' || privilege === 'references') && grantee !== 0,
      (relation, role, grants) => ({
        // Without policies there is nothing to go past, which is told of the table.
        ...(isSqlOfAnApi(names) || !relation.rowSecurity ? { weight: 'style' } : {}),
        mend: `revoke ${privilegesOf(grants)} on ${relation.sql} from ${role};`,
      }),
    ),
}

/** Graver where it lets somebody in: on a table whose policies all name others, a stranger finds nothing. */
export const grantedToPublic: Rule = {
  name: 'granted-to-public',
  weight: 'hole',
  why: 'public is every role there is and will be, also those of other applications on this server.',
  find: (catalog) =>
    perGrant(
      catalog,
      ({ grantee }) => grantee === 0,
      (relation, _, grants) => ({
        ...(grants.some((grant) => letsIn(catalog, grant)) ? {} : { weight: 'style' }),
        mend: `revoke all on ${grantable(relation)} from public;`,
      }),
    ),
}

const rowCommands = ['select', 'insert', 'update', 'delete'] as const

function letsIn(catalog: Catalog, { relation, privilege }: RelationGrant): boolean {
  if (relation.kind === 'S') return privilege === 'update'
  const command = rowCommands.find((one) => one === privilege)
  if (command === undefined || isPastPolicies(catalog, 0, relation)) return true
  return policiesFor(catalog, 0, relation, command).some(({ isPermissive }) => isPermissive)
}
