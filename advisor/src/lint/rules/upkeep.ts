import type { Catalog, Column, Policy, Relation } from '../../catalog/catalog.ts'
import type { Fault, Rule } from '../rule.ts'

const askedTables = ({ relations }: Catalog): Relation[] =>
  [...relations.values()].filter(({ isAsked, kind }) => isAsked && (kind === 'r' || kind === 'p'))

/** What pg_upgrade refuses: their numbers are not kept. Those of tables, roles and types are. */
const passingTypes = new Set(
  ['collation', 'config', 'dictionary', 'namespace', 'oper', 'operator', 'proc', 'procedure'].map(
    (name) => `reg${name}`,
  ),
)

export const columnOfRegType: Rule = {
  name: 'column-of-reg-type',
  weight: 'failure',
  why: 'pg_upgrade refuses a database with such a column: it holds a number that another server gives to something else.',
  find: (catalog) =>
    askedTables(catalog).flatMap(({ sql, columns }) =>
      columns
        .filter(({ type }) => isPassing(catalog, type))
        .map(
          (column): Fault => ({
            object: `column ${sql}.${column.sql}`,
            detail: `its type is ${catalog.types.get(column.type)?.sql}`,
            mend: mendOfType(catalog, sql, column),
          }),
        ),
    ),
}

/** Also as what an array, a domain or a composite type is made of. */
function isPassing(catalog: Catalog, oid: number): boolean {
  const type = catalog.types.get(oid)
  if (type === undefined) return false
  if (passingTypes.has(type.name) && catalog.schemas.get(type.schema)?.isOfPostgres === true)
    return true
  return [type.base, type.element].some((part) => part !== 0 && isPassing(catalog, part))
}

function mendOfType({ types }: Catalog, table: string, { sql, type, isGenerated }: Column): string {
  const isArray = (types.get(type)?.element ?? 0) !== 0
  const isOwn = types.get(type)?.kind === 'd' || isGenerated
  const text = isArray ? 'text[]' : 'text'
  const alter = `alter table ${table} alter column ${sql} type ${text} using ${sql}::${text};`
  return isOwn
    ? `-- a column of type ${text} in its place: ${table}.${sql}`
    : `-- what is computed from the column has to be dropped before, and made again with a cast\n${alter}`
}

/** Not of partitioned ones: a key of all their rows would have to hold what divides them. */
export const tableWithoutPrimaryKey: Rule = {
  name: 'table-without-primary-key',
  weight: 'style',
  why: 'No row of it can be named: logical replication cannot update or delete one, and two that are alike cannot be told apart.',
  find: (catalog) =>
    askedTables(catalog)
      .filter(
        ({ kind, parents, constraints }) =>
          kind === 'r' && parents.length === 0 && !constraints.some(({ type }) => type === 'p'),
      )
      .map(({ sql }) => ({
        object: `table ${sql}`,
        mend: `-- of the columns that tell its rows apart: alter table ${sql} add primary key (…);`,
      })),
}

/** Of all that there are, to be told while there is time. */
const MOST_USED = 0.75
const mostOfType = new Map([
  [21, 2 ** 15 - 1],
  [23, 2 ** 31 - 1],
])
const SMALLER_THAN_BIGINT = [21, 23]

export const sequenceNearItsEnd: Rule = {
  name: 'sequence-near-its-end',
  weight: 'failure',
  why: 'When it has given out its last number, or the column cannot hold the next one, every insert fails.',
  find: ({ relations, sequences }) =>
    [...sequences].flatMap(([oid, { last, most }]) => {
      const sequence = relations.get(oid)
      if (sequence === undefined || !sequence.isAsked) return []
      const table = relations.get(sequence.ownedBy?.relation ?? 0)
      const column = table?.columns.find(({ number }) => number === sequence.ownedBy?.column)
      const end = Math.min(most, mostOfType.get(column?.type ?? 0) ?? most)
      if (last < end * MOST_USED) return []
      const detail = `it has come to ${last} of ${end}`
      const wide = `alter sequence ${sequence.sql} as bigint no maxvalue;`
      const isNarrow = column !== undefined && SMALLER_THAN_BIGINT.includes(column.type)
      const mend = isNarrow
        ? `-- writes the table anew, and locks it meanwhile; what refers to the column holds no more than it did\n` +
          `alter table ${table?.sql} alter column ${column.sql} type bigint;\n${wide}`
        : wide
      return [{ object: `sequence ${sequence.sql}`, detail, mend }]
    }),
}

/** Only of those that could be one. Where commands or roles differ, it takes two to say it. */
export const severalPermissivePolicies: Rule = {
  name: 'several-permissive-policies',
  weight: 'style',
  why:
    'Each of them is asked for each row until one says yes, and an index serves none of them unless it serves all: ' +
    'one policy with `or` in it says the same, and shows that.',
  find: (catalog) =>
    [...catalog.relations.values()]
      .filter(({ isAsked, policies }) => isAsked && policies.length > 1)
      .flatMap(({ sql, policies }) => {
        const permissive = policies.filter((policy) => policy.isPermissive && !isConstant(policy))
        const alike = Map.groupBy(permissive, whoAndWhat)
        const names = [...alike.values()]
          .filter((group) => group.length > 1)
          .map((group) => group.map((policy) => policy.sql).join(' and '))
        if (names.length === 0) return []
        const detail = `for the same command and the same roles: ${names.join('; ')}`
        const mend = `-- one policy with or in the place of ${names.join('; and one of ')}, on ${sql}`
        return [{ object: `table ${sql}`, detail, mend }]
      }),
}

const whoAndWhat = ({ command, roles }: Policy): string => `${command} ${roles.toSorted()}`

/** `using (true)` and `using (false)` cost nothing to ask. */
const isConstant = ({ using, check }: Policy): boolean =>
  /^(true|false)$/.test((using ?? check)?.text ?? '')
