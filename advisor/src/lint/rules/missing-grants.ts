import type { Catalog, Column, Relation } from '../../catalog/catalog.ts'
import { revokeWithPolicies } from '../mends/revoke-with-policies.ts'
import {
  askedRelations,
  byGrantee,
  grantInWords,
  grantsOn,
  type RelationGrant,
  roleIn,
} from '../rights/relation-grants.ts'
import { columnsFor, isServed, mayOn, mayOnSome, policiesFor } from '../rights/role-rights.ts'
import type { Fault, Rule } from '../rule.ts'

/** The grants of tables and views that rows are read from and written to, by relation and role. */
const grantsOfRows = (catalog: Catalog): RelationGrant[][] =>
  askedRelations(catalog)
    .filter(({ kind }) => kind !== 'S' && kind !== 'm')
    .flatMap((relation) => byGrantee(grantsOn(relation).filter(({ grantee }) => grantee !== 0)))

const firstOf = (grants: readonly RelationGrant[]) => grants[0] as RelationGrant

/** PostgreSQL manual, `update`: every column that `where` or `returning` names has to be readable. */
export const changeWithoutSelect: Rule = {
  name: 'change-without-select',
  weight: 'failure',
  why:
    'To say which row is meant, update and delete have to read it: without the right to select, each statement with a ' +
    'where is refused, and only one that changes every row is not.',
  find: (catalog) =>
    grantsOfRows(catalog).flatMap((grants): Fault[] => {
      const { relation, grantee } = firstOf(grants)
      const changes = (['update', 'delete'] as const).filter((one) =>
        grants.some(({ privilege }) => privilege === one),
      )
      const canRead = () =>
        isServed(catalog, grantee, relation, (role) => mayOnSome(catalog, role, relation, 'select'))
      if (changes.length === 0 || canRead()) return []
      const role = roleIn(catalog, grantee)
      return [
        {
          object: grantInWords(catalog, relation, grantee),
          detail: `${changes.join(' and ')} without select`,
          mend: seesSomeRows(catalog, grantee, relation)
            ? `grant select on ${relation.sql} to ${role};`
            : `-- or let them see which row they mean: a policy for select, then grant select on ${relation.sql} to ${role};\n` +
              revokeWithPolicies(catalog, relation, grantee, changes),
        },
      ]
    }),
}

/** Whether policies say which rows they are to see: then the right to read shows no others. */
const seesSomeRows = (catalog: Catalog, role: number, relation: Relation): boolean =>
  relation.rowSecurity &&
  policiesFor(catalog, role, relation, 'select').some(({ isPermissive }) => isPermissive)

export const insertThatCannotSucceed: Rule = {
  name: 'insert-that-cannot-succeed',
  weight: 'failure',
  why:
    'A column that must not be null has no default and is not among those that may be written: every insert is ' +
    'refused, whatever it says.',
  find: (catalog) =>
    grantsOfRows(catalog).flatMap((grants): Fault[] => {
      const { relation, grantee } = firstOf(grants)
      const isTable = relation.kind === 'r' || relation.kind === 'p'
      if (!isTable || !grants.some(({ privilege }) => privilege === 'insert')) return []
      const missing = missingColumns(catalog, grantee, relation)
      if (missing.length === 0 || isFilledByTrigger(relation)) return []
      const role = roleIn(catalog, grantee)
      const names = missing.map(({ sql }) => sql).join(', ')
      return [
        {
          object: grantInWords(catalog, relation, grantee),
          detail: `nothing fills ${names}`,
          mend:
            `-- or give ${names} a default, or let them write it: grant insert (${names}) on ${relation.sql} to ${role};\n` +
            revokeWithPolicies(catalog, relation, grantee, ['insert']),
        },
      ]
    }),
}

/** For who was granted, unless one of those who have it from there may write them all. */
function missingColumns(catalog: Catalog, grantee: number, relation: Relation): Column[] {
  const needed = relation.columns.filter(
    ({ notNull, hasDefault, isGenerated, identity, type }) =>
      (notNull || catalog.types.get(type)?.isNeverNull === true) &&
      !hasDefault &&
      !isGenerated &&
      identity === '',
  )
  if (needed.length === 0 || mayOn(catalog, grantee, relation, 'insert')) return []
  const missingFor = (role: number) => {
    const writable = new Set(columnsFor(catalog, role, relation, 'insert'))
    return needed.filter(({ number }) => !writable.has(number))
  }
  const isComplete = (role: number) => missingFor(role).length === 0
  return isServed(catalog, grantee, relation, isComplete) ? [] : missingFor(grantee)
}

const isFilledByTrigger = ({ triggers }: Relation): boolean =>
  triggers.some(({ type, isEnabled }) => isEnabled && (type & 7) === 7)

/** An identity column asks for no right on its sequence. */
export const insertWithoutSequence: Rule = {
  name: 'insert-without-sequence',
  weight: 'failure',
  why:
    'A serial column takes its number from a sequence as whoever inserts, and they were not granted it: every insert ' +
    'that leaves the number to the database is refused.',
  find: (catalog) =>
    [...catalog.relations.values()].flatMap((sequence): Fault[] => {
      const owned = sequence.ownedBy
      const table = owned === null ? undefined : catalog.relations.get(owned.relation)
      if (owned === null || owned.isIdentity || table === undefined || !table.isAsked) return []
      const column = table.columns.find(({ number }) => number === owned.column)
      if (column === undefined || !column.hasDefault) return []
      const inserting = grantsOn(table).filter(
        ({ privilege, grantee }) => privilege === 'insert' && grantee !== 0,
      )
      return byGrantee(inserting)
        .map(firstOf)
        .filter(({ grantee }) => !mayCount(catalog, grantee, sequence))
        .map(({ grantee }) => ({
          object: grantInWords(catalog, table, grantee),
          detail: `${column.sql} counts with ${sequence.sql}`,
          mend: `grant usage on sequence ${sequence.sql} to ${roleIn(catalog, grantee)};`,
        }))
    }),
}

const mayCount = (catalog: Catalog, grantee: number, sequence: Relation): boolean =>
  isServed(
    catalog,
    grantee,
    sequence,
    (role) => mayOn(catalog, role, sequence, 'usage') || mayOn(catalog, role, sequence, 'update'),
  )
