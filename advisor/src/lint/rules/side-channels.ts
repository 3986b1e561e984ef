import type { Catalog, Column, Constraint, Index, Relation } from '../../catalog/catalog.ts'
import { readsIn } from '../reads/expression-reads.ts'
import { hidesRows, type Writing, writingsOf } from '../rights/hidden-rows.ts'
import { askedRelations, grantsOn, roleIn } from '../rights/relation-grants.ts'
import { columnsFor, policiesFor } from '../rights/role-rights.ts'
import type { Fault, Rule } from '../rule.ts'

/** Those who may write to a table. PUBLIC is told elsewhere. */
const writersOf = (relation: Relation): number[] => [
  ...new Set(
    grantsOn(relation)
      .filter(({ privilege, grantee }) => grantee !== 0 && /^(insert|update)$/.test(privilege))
      .map(({ grantee }) => grantee),
  ),
]

const governed = (catalog: Catalog): Relation[] =>
  askedRelations(catalog).filter(({ rowSecurity, isPartition }) => rowSecurity && !isPartition)

/** Random, or counted by the database: nobody hits one by trying names. */
function isGuessable(
  catalog: Catalog,
  { type, identity, hasDefault }: Column,
  isKey: boolean,
): boolean {
  const { name = '', kind } = baseOf(catalog, type)
  if (name === 'uuid' || identity !== '' || kind === 'e' || name === 'bool') return false
  const isNumber = /^(int2|int4|int8|oid|numeric)$/.test(name)
  // A number that only tells rows apart says nothing when it is taken.
  return !(isNumber && (isKey || hasDefault))
}

function baseOf(catalog: Catalog, oid: number): { name?: string; kind?: string } {
  const type = catalog.types.get(oid)
  return type?.kind === 'd' ? baseOf(catalog, type.base) : (type ?? {})
}

/** PostgreSQL manual, 5.9: referential integrity checks, such as unique constraints and foreign keys, always bypass row security. */
export const keyTellsOfHiddenRows: Rule = {
  name: 'key-tells-of-hidden-rows',
  weight: 'leak',
  why:
    'No policy holds for the check that a value is unique: whoever tries one that is taken learns that there is such a ' +
    'row, though it is hidden from them.',
  find: (catalog) =>
    governed(catalog).flatMap((relation) => {
      const writers = writersOf(relation).filter((role) => hidesRows(catalog, role, relation))
      if (writers.length === 0) return []
      const keys = relation.indexes.filter((index) => isUniqueKey(relation, index))
      return keys.flatMap((index) => toldBy(catalog, relation, index, writers))
    }),
}

const isUniqueKey = (
  { constraints }: Relation,
  { isUnique, constraint, isValid }: Index,
): boolean =>
  isValid && (isUnique || constraints.some(({ oid, type }) => oid === constraint && type === 'x'))

function toldBy(
  catalog: Catalog,
  relation: Relation,
  index: Index,
  writers: readonly number[],
): Fault[] {
  const columns = relation.columns.filter(
    ({ number, sql }) =>
      index.columns.includes(number) || index.expressions.some((one) => one.includes(sql)),
  )
  const numbers = columns.map(({ number }) => number)
  const inKey = columns.filter(({ number }) => index.columns.includes(number))
  // Of an expression the columns are not told: what it is of may be anything that is written.
  if (
    index.expressions.length === 0 &&
    !inKey.every((one) => isGuessable(catalog, one, index.isPrimary))
  )
    return []
  const found = writers.flatMap((role) =>
    writingsOf(catalog, role, relation, numbers)
      .filter((writing) => !isOfWriter(writing, numbers))
      .map(({ command }) => ({ role, command })),
  )
  const [first] = found
  if (first === undefined) return []
  const constraint = relation.constraints.find(({ oid }) => oid === index.constraint)
  const object =
    constraint === undefined
      ? `index ${index.sql}`
      : `constraint ${constraint.sql} on ${relation.sql}`
  const what = [...inKey.map(({ sql }) => sql), ...index.expressions].join(', ')
  return [
    {
      object,
      detail: `an ${first.command} of ${roleIn(catalog, first.role)} tells whether ${what} is taken`,
      mend:
        '-- where that is no secret, as with names that everybody sees, accept it and say so; else make the key that of one owner\n' +
        '-- (owner first, then the column), or write in a security definer function that answers alike whether it is taken or not',
    },
  ]
}

/** A key with a column that policies hold against who asks meets no rows but theirs. */
const isOfWriter = ({ pinned }: Writing, columns: readonly number[]): boolean =>
  columns.some((column) => pinned.has(column))

export const foreignKeyTellsOfHiddenRows: Rule = {
  name: 'foreign-key-tells-of-hidden-rows',
  weight: 'leak',
  why:
    'No policy holds for the check of a foreign key: whoever writes one learns whether there is such a row, though it is ' +
    'hidden from them, and can hang their own on it.',
  find: (catalog) =>
    governed(catalog).flatMap((relation) => {
      const references = relation.constraints.filter(
        ({ type, isOfParent }) => type === 'f' && !isOfParent,
      )
      if (references.length === 0) return []
      const writers = writersOf(relation)
      return references.flatMap((constraint) => referring(catalog, relation, constraint, writers))
    }),
}

function referring(
  catalog: Catalog,
  relation: Relation,
  constraint: Constraint,
  writers: readonly number[],
): Fault[] {
  const { refers, columns: numbers, sql } = constraint
  const other = refers === null ? undefined : catalog.relations.get(refers.relation)
  if (refers === null || other === undefined || !other.rowSecurity) return []
  const columns = numbers.flatMap(
    (number) => relation.columns.find((one) => one.number === number) ?? [],
  )
  if (!columns.some((column) => isReferenceGuessable(catalog, column))) return []
  const found = writers
    .filter((role) => hidesRows(catalog, role, other))
    .flatMap((role) =>
      writingsOf(catalog, role, relation, numbers)
        .filter((writing) => !isOfWriter(writing, numbers))
        .map(({ command }) => ({ role, command })),
    )
  if (found.length === 0) return []
  const [first] = found
  return [
    {
      object: `foreign key ${sql} on ${relation.sql}`,
      detail: `an ${first?.command} of ${roleIn(catalog, first?.role ?? 0)} tells whether ${other.sql} has a row`,
      mend: referenceMend(catalog, relation, columns, other, refers.columns, found),
    },
  ]
}

/** Keys that are counted are guessed by counting. */
function isReferenceGuessable(catalog: Catalog, { type }: Column): boolean {
  return baseOf(catalog, type).name !== 'uuid'
}

/** What is referred to has to be seen. Only where seeing it leads no further, lest the policies go round. */
function referenceMend(
  catalog: Catalog,
  relation: Relation,
  columns: readonly Column[],
  other: Relation,
  otherColumns: readonly number[],
  found: readonly { role: number; command: 'insert' | 'update' }[],
): string {
  const isSimple = found.every(({ role }) => {
    const readable = new Set(columnsFor(catalog, role, other, 'select'))
    const policies = policiesFor(catalog, role, other, 'select')
    const leadsOn = policies.some(
      ({ using }) => using !== null && readsIn(using.tree).relations.size > 0,
    )
    return otherColumns.every((column) => readable.has(column)) && !leadsOn && relation !== other
  })
  const pairs = columns.map((column, place) => {
    const seen = other.columns.find(({ number }) => number === otherColumns[place])
    return `seen.${seen?.sql} = ${relation.sql}.${column.sql}`
  })
  const empty = columns.filter(({ notNull }) => !notNull).map(({ sql }) => `${sql} is null or `)
  const condition = `${empty.join('')}exists (select from ${other.sql} as seen where ${pairs.join(' and ')})`
  if (!isSimple)
    return `-- let the policies that check new rows of ${relation.sql} ask whether the row is seen:\n-- ${condition}`
  const commands = [...new Set(found.map(({ command }) => command))]
  const roles = [...new Set(found.map(({ role }) => role))].map((role) => roleIn(catalog, role))
  return commands
    .map(
      (command) =>
        `create policy ${nameFor(relation, columns[0], command)} on ${relation.sql} as restrictive for ${command} to ${roles.join(', ')}\n` +
        `  ${command === 'update' ? 'using (true) ' : ''}with check (${condition});`,
    )
    .join('\n')
}

const nameFor = ({ name }: Relation, column: Column | undefined, command: string): string =>
  `"${`${name.slice(0, 20)}_${column?.name.slice(0, 20)}_seen_${command}`.replaceAll('"', '""')}"`
