import type { Catalog, Relation } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { nameRoles } from '../asking/reach.ts'
import { surroundingsOf } from '../asking/surroundings.ts'
import { commentedOut } from '../mends/commented-out.ts'
import { quoteName } from '../mends/quote-name.ts'
import { policiesFor } from '../rights/role-rights.ts'
import type { Fault, Rule } from '../rule.ts'
import type { Weight } from '../weight.ts'
import { recursionsIn } from './recursion.ts'

const tablesOf = ({ relations }: Catalog): Relation[] =>
  [...relations.values()].filter(({ isAsked, kind }) => isAsked && (kind === 'r' || kind === 'p'))

/** Whoever but the owner has something on a table. */
function granteesOf({ acl, columns, owner }: Relation): number[] {
  const items = [...acl, ...columns.flatMap((column) => column.acl)]
  return [...new Set(items.map(({ grantee }) => grantee))].filter((grantee) => grantee !== owner)
}

/**
 * No table of the database has row-level security, and nobody has said what requests act as: an application that keeps
 * people apart by itself, with one role for all. That is one decision, and no oversight of each table.
 */
const isUnused = ({ relations }: Catalog, { requestRoles }: Names): boolean =>
  requestRoles === null &&
  ![...relations.values()].some(({ rowSecurity, extension }) => rowSecurity && extension === null)

function decisionOf(catalog: Catalog, tables: readonly Relation[]): Fault {
  const granted = tables.filter((table) => granteesOf(table).length > 0)
  const grantees = [...new Set(granted.flatMap(granteesOf))]
  const open =
    granted.length === 0
      ? 'its tables are granted to nobody but their owners'
      : `${granted.length} of its tables are granted to ${nameRoles(catalog, grantees)}`
  return {
    object: `database ${quoteName(catalog.database.name)}`,
    weight: granted.length === 0 ? 'style' : 'leak',
    detail: `no table has it; ${open}`,
    mend:
      '-- to be decided: does the application alone say whose rows are whose? Then accept this, and know that every mistake\n' +
      '-- in its SQL shows everything. If not, begin with the tables whose rows are somebody’s:\n' +
      tables.map(({ sql }) => `-- alter table ${sql} enable row level security;`).join('\n'),
  }
}

/** A policy that shows a table to its owner, for where no other does. */
function policyForOwner(
  { roles }: Catalog,
  { name, sql, owner, policies, isPartition }: Relation,
): string {
  const isThere = policies.some(
    (policy) => policy.isPermissive && policy.roles.some((role) => role === 0 || role === owner),
  )
  if (isThere || isPartition) return ''
  const policy = `"${`${cut(name)}_for_owner`.replaceAll('"', '""')}"`
  return `\ncreate policy ${policy} on ${sql} to ${roles.get(owner)?.sql ?? 'current_user'} using (true) with check (true);`
}

/** A name has 63 bytes. */
function cut(name: string): string {
  let short = name
  while (Buffer.byteLength(short) > 53) short = [...short].slice(0, -1).join('')
  return short
}

export const tableWithoutRowLevelSecurity: Rule = {
  name: 'table-without-row-level-security',
  weight: 'hole',
  why: 'Without row-level security, whoever is granted the table sees every row of everybody.',
  find: (catalog, names) => {
    const { reach } = surroundingsOf(catalog, names)
    const without = tablesOf(catalog).filter(({ rowSecurity }) => !rowSecurity)
    if (isUnused(catalog, names) && without.length > 1) return [decisionOf(catalog, without)]
    return without.map((table) => {
      const isWritten = (['insert', 'update', 'delete'] as const).some(
        (privilege) => reach.rolesWith(table, privilege).size > 0,
      )
      const grantees = granteesOf(table)
      const weight: Weight = isWritten ? 'hole' : grantees.length > 0 ? 'leak' : 'style'
      const to = grantees.length === 0 ? 'nobody but its owner' : nameRoles(catalog, grantees)
      return {
        object: `table ${table.sql}`,
        detail: `it is granted to ${to}${table.policies.length > 0 ? '; its policies do not hold' : ''}`,
        weight,
        mend: enableOn(catalog, table),
      }
    })
  },
}

/** Whoever works with the table and has no policy is shut out by it: which rows are theirs, only somebody who knows them can say. */
function enableOn(catalog: Catalog, table: Relation): string {
  const enable =
    `alter table ${table.sql} enable row level security;\nalter table ${table.sql} force row level security;` +
    policyForOwner(catalog, table)
  const shutOut = granteesOf(table).filter((role) => isShutOut(catalog, role, table))
  if (shutOut.length === 0) return enable
  const decisions = shutOut.map((role) => {
    const name = nameRoles(catalog, [role])
    return (
      `-- ${name} sees no row from then on, and writes none, until a policy says which are theirs:\n` +
      policyToWrite(table, name, commandsOf(table, role))
    )
  })
  return [commentedOut(enable), ...decisions].join('\n')
}

const rowCommands = ['select', 'insert', 'update', 'delete'] as const

const commandsOf = ({ acl, columns }: Relation, role: number) => {
  const items = [...acl, ...columns.flatMap((column) => column.acl)]
  return rowCommands.filter((command) =>
    items.some(({ grantee, privilege }) => grantee === role && privilege === command),
  )
}

function isShutOut(catalog: Catalog, role: number, table: Relation): boolean {
  const { isSuperuser = false, bypassesRowSecurity = false } = catalog.roles.get(role) ?? {}
  if (isSuperuser || bypassesRowSecurity) return false
  const commands = commandsOf(table, role)
  return (
    commands.length > 0 &&
    !commands.some((command) =>
      policiesFor(catalog, role, table, command).some(({ isPermissive }) => isPermissive),
    )
  )
}

/** As a comment, with what has to be said left out. */
function policyToWrite(table: Relation, role: string, commands: readonly string[]): string {
  const [only = 'all', second] = commands
  const command = second === undefined ? only : 'all'
  const clauses = [
    ...(command === 'insert' ? [] : ['using (…)']),
    ...(command === 'select' || command === 'delete' ? [] : ['with check (…)']),
  ]
  return `-- create policy … on ${table.sql} for ${command} to ${role} ${clauses.join(' ')};`
}

/** A restrictive policy only takes away. A partition is read through its table, whose policies hold; on its own it shows nothing. */
export const tableWithoutPolicy: Rule = {
  name: 'table-without-policy',
  weight: 'failure',
  why:
    'Row-level security without a policy shows nobody any row: what is granted looks as if it worked, and ' +
    'the policy that comes later, in haste, is wider than it had to be.',
  find: (catalog) =>
    tablesOf(catalog)
      .filter(
        ({ rowSecurity, policies }) =>
          rowSecurity && !policies.some(({ isPermissive }) => isPermissive),
      )
      .filter((table) => !table.isPartition || granteesOf(table).length > 0)
      .map((table) => ({
        object: `table ${table.sql}`,
        ...(table.policies.length > 0
          ? { detail: 'all of its policies are restrictive, and only take away' }
          : {}),
        // Where nobody is granted it, that is how to keep a table to oneself.
        weight: granteesOf(table).length > 0 ? ('failure' as const) : ('style' as const),
        mend: [
          ...granteesOf(table)
            .filter((role) => isShutOut(catalog, role, table))
            .map((role) => nameRoles(catalog, [role]))
            .map(
              (name) =>
                `-- and one for ${name}: which rows are theirs? create policy … on ${table.sql} to ${name} …`,
            ),
          policyForOwner(catalog, { ...table, isPartition: false }).trimStart(),
        ].join('\n'),
      })),
}

/** docs/decisions/0004 */
export const rowLevelSecurityNotForced: Rule = {
  name: 'row-level-security-not-forced',
  weight: 'style',
  why:
    'Policies do not hold for the owner unless they are forced, and every security definer function ' +
    'and every view of the owner acts as the owner.',
  find: (catalog) => {
    const unforced = tablesOf(catalog).filter(({ rowSecurity, forced }) => rowSecurity && !forced)
    const round = unforced.length === 0 ? new Set<number>() : wouldGoRound(catalog)
    return unforced.map((table) => ({
      object: `table ${table.sql}`,
      // An application that connects as the owner has policies that hold for nobody.
      ...(catalog.requestRoles.has(table.owner)
        ? {
            weight: 'hole' as const,
            detail: `requests act as its owner, ${nameRoles(catalog, [table.owner])}: no policy holds for them`,
          }
        : {}),
      mend: round.has(table.oid)
        ? '-- a policy asks a function that reads the table as its owner, and forced would come back to itself: first let\n' +
          `-- that function belong to a role that bypasses row-level security; then: alter table ${table.sql} force row level security;`
        : `alter table ${table.sql} force row level security;${policyForOwner(catalog, table)}`,
    }))
  },
}

/** Tables whose policies would recurse if they held for owners, and do not today. */
function wouldGoRound(catalog: Catalog): Set<number> {
  const relations = new Map(
    [...catalog.relations].map(([oid, relation]) => [
      oid,
      relation.rowSecurity ? { ...relation, forced: true } : relation,
    ]),
  )
  const before = new Set(recursionsIn(catalog).map(({ policy }) => policy))
  const added = recursionsIn({ ...catalog, relations }).filter(({ policy }) => !before.has(policy))
  return new Set(
    added.flatMap(({ path, policy }) => [policy.relation.oid, ...path.map(({ oid }) => oid)]),
  )
}
