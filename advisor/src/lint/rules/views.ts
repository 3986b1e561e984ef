import type { Catalog, Relation } from '../../catalog/catalog.ts'
import { isFilter, relationsNamedIn } from '../expressions/trees.ts'
import { askersOf, namedAs, nameOfRole, namesOfRoles } from '../rights/askers.ts'
import { isGivenByDefault } from '../rights/given-by-default.ts'
import { isGranted, queryOf, readPast, tablesBelow } from '../rights/read-past.ts'
import type { Fault, Rule } from '../rule.ts'

/** Postgres takes true, on, yes and 1. */
export const viewNotSecurityInvoker: Rule = {
  name: 'view-not-security-invoker',
  weight: 'leak',
  why:
    'A view reads with the rights of its owner unless it is security_invoker: policies are those of ' +
    'the owner, and whoever may read the view reads past their own.',
  find: (catalog) =>
    ownersViews(catalog).map((view) => ({
      object: `view ${view.sql}`,
      mend: mendOf(catalog, view),
      ...whatItOpens(catalog, view),
    })),
}

/** Readers without a right on what is below would be refused from then on: what they are for, only somebody who knows can say. */
function mendOf(catalog: Catalog, view: Relation): string {
  const alter = `alter view ${view.sql} set (security_invoker = true);`
  const needed = grantsFor(catalog, view)
  return needed === '' ? alter : `${needed}-- ${alter}`
}

/** What its readers will need then. */
function grantsFor(catalog: Catalog, view: Relation): string {
  const query = queryOf(view)
  const readers = askersOf(catalog, view, 'select')
  const below = query === null ? [] : [...relationsNamedIn(query)]
  return below
    .flatMap((oid) => catalog.relations.get(oid) ?? [])
    .filter((relation) => relation !== view && !relation.schema.isOfPostgres)
    .flatMap((relation) => {
      const without = readers.filter((role) => !isGranted(catalog, role, relation, 'select'))
      if (without.length === 0) return []
      return `-- then its readers need it themselves, within policies: grant select on ${relation.sql} to ${namesOfRoles(catalog, without)};\n`
    })
    .join('')
}

function whatItOpens(catalog: Catalog, view: Relation): Pick<Fault, 'weight' | 'detail'> {
  const tables = tablesBelow(catalog, view)
  const writers = isWritable(catalog, view)
    ? askersOf(catalog, view, 'insert', 'update', 'delete')
    : []
  const written = readPast(catalog, writers, tables)
  if (written !== null && !isOnPurpose(catalog, view, writers))
    return {
      weight: 'hole',
      detail: `${namesOfRoles(catalog, writers)} may also write through it: ${written}`,
    }
  const readers = askersOf(catalog, view, 'select')
  const past = readPast(catalog, readers, tables)
  if (readers.length === 0) return { weight: 'style', detail: 'no role of requests may read it' }
  if (past === null)
    return { weight: 'style', detail: 'it shows nothing that its readers may not read anyway' }
  const detail = `${namesOfRoles(catalog, readers)} may read ${past}`
  return isOnPurpose(catalog, view, readers) ? { weight: 'style', detail } : { detail }
}

/**
 * Who was granted a view and not the tables below it is shown a part of them, which is what views are for; unless policies
 * say of rows whose they are, or everybody has whatever is made there.
 */
const isOnPurpose = (catalog: Catalog, view: Relation, readers: readonly number[]): boolean =>
  ![...tablesBelow(catalog, view)].some(({ rowSecurity }) => rowSecurity) &&
  readers.every((role) => role !== 0 && !isGivenByDefault(catalog, role, view, 'select'))

const isWritable = ({ detours }: Catalog, { oid }: Relation): boolean => {
  const writes = detours.views.get(oid)
  return writes?.canInsert === true || writes?.canUpdate === true
}

export const viewFiltersWithoutBarrier: Rule = {
  name: 'view-filters-without-barrier',
  weight: 'leak',
  why:
    'Postgres may ask what the reader wants to know before the view’s own condition, also of rows that the view leaves out: ' +
    'a function that raises, or a division by zero, tells of them. security_barrier keeps the order.',
  find: (catalog) =>
    filtersOf(catalog).flatMap((view) => {
      const readers = askersOf(catalog, view, 'select')
      const past =
        readers.length === 0 ? null : readPast(catalog, readers, tablesBelow(catalog, view))
      if (view.options.securityBarrier || past === null) return []
      return [
        {
          object: `view ${view.sql}`,
          detail: `${namesOfRoles(catalog, readers)} may read it, and what it leaves out is ${past}`,
          mend: `alter view ${view.sql} set (security_barrier = true);`,
        },
      ]
    }),
}

export const viewWrittenPastItsFilter: Rule = {
  name: 'view-written-past-its-filter',
  weight: 'hole',
  why:
    'Without a check option a view holds only what is read to its condition: through it rows can be written, or moved, ' +
    'to where it would not show them.',
  find: (catalog) =>
    filtersOf(catalog).flatMap((view) => {
      const writers = writersPastFilter(catalog, view)
      if (writers.length === 0) return []
      return [
        {
          object: `view ${view.sql}`,
          detail: `${namesOfRoles(catalog, writers)} may write through it`,
          mend: `alter view ${view.sql} set (check_option = cascaded);`,
        },
      ]
    }),
}

/** Those who could not write the same into the table itself. */
function writersPastFilter(catalog: Catalog, view: Relation): number[] {
  const { canInsert, canUpdate, hasCheckOption } = catalog.detours.views.get(view.oid) ?? {}
  if (hasCheckOption === true) return []
  const privileges = [
    ...(canInsert === true ? ['insert' as const] : []),
    ...(canUpdate === true ? ['update' as const] : []),
  ]
  const [table] = tablesBelow(catalog, view)
  const writers = privileges.flatMap((privilege) =>
    askersOf(catalog, view, privilege).filter(
      (role) =>
        table === undefined || table.rowSecurity || !isGranted(catalog, role, table, privilege),
    ),
  )
  return [...new Set(writers)]
}

export const materializedViewGranted: Rule = {
  name: 'materialized-view-granted',
  weight: 'leak',
  why:
    'A materialized view holds what its owner saw, and can have no policies: whoever may read it ' +
    'reads every row of it.',
  find: (catalog) =>
    everyGrantOf(catalog, 'm', (view, role) => {
      const past = readPast(catalog, [role], tablesBelow(catalog, view))
      if (past !== null)
        return {
          detail: `it shows ${past}`,
          ...(isOnPurpose(catalog, view, [role]) ? { weight: 'style' as const } : {}),
        }
      return { weight: 'style', detail: 'it shows nothing that its readers may not read anyway' }
    }),
}

export const foreignTableGranted: Rule = {
  name: 'foreign-table-granted',
  weight: 'leak',
  why:
    'A foreign table can have no policies: whoever is granted it has every row, with the rights of ' +
    'its user mapping on the other server.',
  find: (catalog) =>
    everyGrantOf(catalog, 'f', (table, role) =>
      askersOf(catalog, table, 'insert', 'update', 'delete', 'truncate').includes(role)
        ? { weight: 'hole', detail: 'it may write there too' }
        : {},
    ),
}

/** To PUBLIC is another rule's. */
function everyGrantOf(
  catalog: Catalog,
  kind: 'm' | 'f',
  judge: (relation: Relation, role: number) => Pick<Fault, 'weight' | 'detail'>,
): Fault[] {
  return [...catalog.relations.values()]
    .filter((relation) => relation.isAsked && relation.kind === kind)
    .flatMap((relation) =>
      askersOf(catalog, relation, 'select', 'insert', 'update', 'delete', 'truncate')
        .filter((role) => role !== 0)
        .map((role) => ({
          object: `grant to ${nameOfRole(catalog, role)} on ${namedAs(relation)}`,
          mend: `revoke all on ${relation.sql} from ${nameOfRole(catalog, role)};`,
          ...judge(relation, role),
        })),
    )
}

const ownersViews = ({ relations }: Catalog): Relation[] =>
  [...relations.values()].filter(
    ({ isAsked, kind, options }) => isAsked && kind === 'v' && !options.securityInvoker,
  )

const filtersOf = (catalog: Catalog): Relation[] =>
  ownersViews(catalog).filter((view) => {
    const query = queryOf(view)
    return query !== null && isFilter(query)
  })
