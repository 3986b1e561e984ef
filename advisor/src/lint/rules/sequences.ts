import type { Catalog, Relation } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { askersOf, nameOfRole, namesOfRoles } from '../rights/askers.ts'
import { mayOnSome } from '../rights/role-rights.ts'
import { isSqlOfAnApi } from '../rights/sql-of-an-api.ts'
import type { Fault, Rule } from '../rule.ts'

export const sequenceCanBeSet: Rule = {
  name: 'sequence-can-be-set',
  weight: 'hole',
  why:
    'update on a sequence is setval: whoever has it sets the numbers back, so that every insert fails until they are used up, ' +
    'or forward to their end. usage is enough to insert, and an identity column needs neither.',
  find: (catalog, names) => {
    const [ofPlatform, others] = byWhoGranted(catalog, names)
    return [
      ...grantsOn(catalog, others, 'update', (sequence, role) => ({
        ...lightInAnApi(names),
        object: `grant of update to ${nameOfRole(catalog, role)} on sequence ${sequence.sql}`,
        mend: `revoke update on sequence ${sequence.sql} from ${nameOfRole(catalog, role)};`,
      })),
      ...[...Map.groupBy(ofPlatform, ({ schema }) => schema.sql)].flatMap(([schema, sequences]) =>
        faultOfPlatform(catalog, schema, sequences),
      ),
    ]
  },
}

/** The platform granted them all alike, and no request comes to call setval: that is told once, for who wants to be tidy. */
function faultOfPlatform(
  catalog: Catalog,
  schema: string,
  sequences: readonly Relation[],
): Fault[] {
  const granted = sequences
    .map((sequence) => ({ sequence, roles: askersOf(catalog, sequence, 'update') }))
    .filter(({ roles }) => roles.length > 0)
  if (granted.length === 0) return []
  const roles = [...new Set(granted.flatMap(({ roles }) => roles))]
  return [
    {
      object: `sequences of schema ${schema}`,
      weight: 'style',
      detail: `the platform granted ${granted.length} of them to ${namesOfRoles(catalog, roles)}`,
      mend: granted
        .map(
          ({ sequence, roles }) =>
            `revoke select, update on sequence ${sequence.sql} from ${namesOfRoles(catalog, roles)};`,
        )
        .join('\n'),
    },
  ]
}

export const sequenceTellsCount: Rule = {
  name: 'sequence-tells-count',
  weight: 'leak',
  why:
    'select on a sequence shows its last number, and so how many rows there are, and how many more each day, of a table ' +
    'whose rows only some may see.',
  find: (catalog, names) => {
    const [ofPlatform, others] = byWhoGranted(catalog, names)
    const told = (isLight: boolean) => (sequence: Relation, role: number) => {
      const table = catalog.relations.get(sequence.ownedBy?.relation ?? 0)
      if (table === undefined || seesAll(catalog, role, table)) return null
      return {
        ...(isLight ? { weight: 'style' as const } : lightInAnApi(names)),
        object: `grant of select to ${nameOfRole(catalog, role)} on sequence ${sequence.sql}`,
        detail: `it numbers ${table.sql}`,
        mend: `revoke select on sequence ${sequence.sql} from ${nameOfRole(catalog, role)};`,
      }
    }
    const left = ofPlatform.filter((sequence) => askersOf(catalog, sequence, 'update').length === 0)
    return [
      ...grantsOn(catalog, others, 'select', told(false)),
      ...grantsOn(catalog, left, 'select', told(true)),
    ]
  },
}

/** Whoever may count the rows of a table is told nothing by its sequence. */
const seesAll = (catalog: Catalog, role: number, table: Relation): boolean =>
  !table.rowSecurity && mayOnSome(catalog, role, table, 'select')

/** An API that makes the statements itself has none that reads or sets a sequence. */
const lightInAnApi = (names: Names): Pick<Fault, 'weight'> =>
  isSqlOfAnApi(names) ? { weight: 'style' } : {}

/** Those of schemas in which the platform grants all there is, and the others. */
function byWhoGranted({ relations }: Catalog, names: Names): [Relation[], Relation[]] {
  const sequences = [...relations.values()].filter(({ isAsked, kind }) => isAsked && kind === 'S')
  const isOfPlatform = ({ schema }: Relation) => names.grantedSchemas.includes(schema.name)
  return [sequences.filter(isOfPlatform), sequences.filter((one) => !isOfPlatform(one))]
}

const grantsOn = (
  catalog: Catalog,
  sequences: readonly Relation[],
  privilege: 'select' | 'update',
  fault: (sequence: Relation, role: number) => Fault | null,
): Fault[] =>
  sequences.flatMap((sequence) =>
    askersOf(catalog, sequence, privilege).flatMap((role) => fault(sequence, role) ?? []),
  )
