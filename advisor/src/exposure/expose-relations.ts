import type { Column, Relation } from '../catalog/catalog.ts'
import {
  type Access,
  type Action,
  actions,
  type ExposedRelation,
  type RelationKind,
  type Rows,
} from './exposure.ts'
import { findTruncateTrouble, referencesTo } from './find-truncate-trouble.ts'
import {
  columnsGranted,
  columnsWithRights,
  isGranted,
  mayOnRelation,
  mayUse,
} from './privileges.ts'
import { RowsOf } from './rows-of.ts'
import type { Standing } from './standing.ts'
import { Judge, type Known } from './statement/judge.ts'
import type { Trouble } from './statement/trouble.ts'

const kinds: Record<Exclude<Relation['kind'], 'S'>, RelationKind> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

/** @param words the names in what decides who reaches what */
export function exposeRelations(
  known: Known,
  roles: readonly Standing[],
  words: ReadonlySet<string>,
): ExposedRelation[] {
  const { catalog } = known
  const listed = [...catalog.relations.values()].filter(
    ({ isAsked, kind }) => isAsked && kind !== 'S',
  )
  const access = new Map<number, Access[]>(listed.map(({ oid }) => [oid, []]))
  const kept = new Map<string, Rows>()
  const references = referencesTo(catalog)
  for (const role of roles) {
    const judge = new Judge(known, role)
    const rowsOf = new RowsOf(known, role, kept)
    for (const relation of listed) {
      if (!mayUse(role, relation.schema)) continue
      for (const action of actions) {
        const granted = grantedFor(role, relation, action)
        if (granted === null) continue
        const tried =
          action === 'truncate'
            ? tryWhole(findTruncateTrouble(catalog, references, relation, role))
            : tryAction(judge, relation, action, granted)
        access.get(relation.oid)?.push({
          role: role.name,
          action,
          ...tried,
          rows: rowsOf.of(relation, action),
        })
      }
    }
  }
  return (
    listed
      // A partition that nobody can name is a part of its table; it may be gone next month.
      .filter(({ oid, isPartition }) => !isPartition || access.get(oid)?.length !== 0)
      .map((relation) => ({
        ...describe(known, relation, roles, access.get(relation.oid) ?? []),
        definition: definitionOf(known, relation, access.get(relation.oid) ?? [], words),
      }))
  )
}

/** A view with the caller's rights reaches nothing that the caller does not. */
function definitionOf(
  { particulars }: Known,
  { oid, name, options }: Relation,
  access: readonly Access[],
  words: ReadonlySet<string>,
): string | null {
  const isReached = access.length > 0 && !options.securityInvoker
  if (!isReached && !words.has(name.toLowerCase())) return null
  return particulars.views.get(oid) ?? null
}

function describe(
  { catalog, standings, particulars }: Known,
  relation: Relation,
  roles: readonly Standing[],
  access: Access[],
): Omit<ExposedRelation, 'definition'> {
  const owner = standings.of(relation.owner).name
  return {
    schema: relation.schema.name,
    name: relation.name,
    kind: kinds[relation.kind as 'r'],
    columns: relation.columns.map(({ name }) => name),
    row_security: rowSecurityOf(relation),
    access,
    owner,
    owned_by: roles
      .filter((role) => standings.hasRightsOf(role, relation.owner))
      .map(({ name }) => name),
    rights: roles.flatMap((role) => rightsOf(role, relation)),
    rules: relation.rules
      .filter(
        ({ oid, event }) => event !== 'select' && particulars.rules.get(oid)?.isEnabled !== false,
      )
      .map(({ name, event, isInstead, action }) => ({
        name,
        event,
        is_instead: isInstead,
        as: owner,
        definition: action.text,
      })),
    definer_triggers: relation.triggers.flatMap(({ name, function: oid, isEnabled }) => {
      const called = catalog.functions.get(oid)
      if (!isEnabled || called?.isSecurityDefiner !== true) return []
      return [{ name, function: called.sql, as: standings.of(called.owner).name }]
    }),
  }
}

function rightsOf(role: Standing, relation: Relation): ExposedRelation['rights'] {
  // Where the schema cannot be named, neither can what stands in it.
  if (!mayUse(role, relation.schema)) return []
  const privileges = (['references', 'trigger', 'maintain'] as const).filter(
    (privilege) =>
      mayOnRelation(role, relation, privilege) ||
      (privilege === 'references' &&
        columnsWithRights(relation).some(({ acl }) => isGranted(acl, role, privilege))),
  )
  return privileges.length === 0 ? [] : [{ role: role.name, privileges }]
}

function rowSecurityOf({ kind, rowSecurity, forced }: Relation): ExposedRelation['row_security'] {
  if (kind !== 'r' && kind !== 'p') return null
  if (!rowSecurity) return 'off'
  return forced ? 'forced' : 'on'
}

/** The columns that have been granted, null where nothing has. */
function grantedFor(role: Standing, relation: Relation, action: Action): Column[] | null {
  if (action === 'delete') return mayOnRelation(role, relation, action) ? [] : null
  if (action === 'truncate')
    return relation.kind !== 'v' && relation.kind !== 'm' && mayOnRelation(role, relation, action)
      ? []
      : null
  const granted = columnsGranted(role, relation, action)
  if (granted === 'all') return relation.columns
  if (granted.length === 0) return null
  return relation.columns.filter(({ number }) => granted.includes(number))
}

type Tried = Pick<Access, 'allowed' | 'columns' | 'refused' | 'unsure'>

function tryAction(
  judge: Judge,
  relation: Relation,
  action: Exclude<Action, 'truncate'>,
  granted: readonly Column[],
): Tried {
  if (action === 'delete')
    return tryWhole(judge.writing(relation, { command: 'delete', columns: [], reads: false }))
  const possible: Column[] = []
  const refused = new Map<string, string[]>()
  const unsure = new Map<string, string[]>()
  for (const column of granted) {
    // Nobody writes what is computed.
    if (action !== 'select' && column.isGenerated) continue
    if (action === 'update' && column.identity === 'a') continue
    const trouble =
      action === 'select'
        ? judge.reading(relation, new Set([column.number]))
        : judge.writing(relation, { command: action, columns: [column.number], reads: false })
    if (trouble === null || trouble.stage === 'unsure') possible.push(column)
    if (trouble === null) continue
    const said = trouble.stage === 'unsure' ? unsure : refused
    said.set(trouble.reason, [...(said.get(trouble.reason) ?? []), column.name])
  }
  return {
    allowed: possible.length > 0,
    columns: possible.map(({ name }) => name),
    refused: listed(refused),
    ...(unsure.size > 0 && { unsure: listed(unsure) }),
  }
}

const listed = (by: ReadonlyMap<string, string[]>) =>
  [...by].map(([reason, columns]) => ({ columns, reason }))

/** Of what knows no columns. */
function tryWhole(trouble: Trouble | null): Tried {
  if (trouble === null) return { allowed: true, columns: [], refused: [] }
  const said = [{ columns: [], reason: trouble.reason }]
  if (trouble.stage === 'unsure') return { allowed: true, columns: [], refused: [], unsure: said }
  return { allowed: false, columns: [], refused: said }
}
