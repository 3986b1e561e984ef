import type { Catalog, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { neededSchemas } from '../bodies/needed-schemas.ts'
import { commentedOut } from '../mends/commented-out.ts'
import { callersByTree } from '../reads/asked-by-tree.ts'
import {
  askersOf,
  askersWith,
  calledAs,
  callersOf,
  grantedAs,
  nameOfRole,
  namesOfRoles,
} from '../rights/askers.ts'
import { readPast } from '../rights/read-past.ts'
import { isOwnedBy } from '../rights/role-rights.ts'
import { triggersOf } from '../rights/triggers-of.ts'
import type { Fault, Rule } from '../rule.ts'
import { asksWho } from '../sql-text/asks-who.ts'
import { reachOf, searchPathOf } from '../sql-text/reach-of.ts'

const PUBLIC = 0

export const executableByPublic: Rule = {
  name: 'executable-by-public',
  weight: 'style',
  why:
    'Postgres lets everybody execute a new function unless that is revoked: each one is a door, also ' +
    'to whoever gets as far as a role that was granted nothing.',
  find: (catalog, names) =>
    [...askedFunctions(catalog)]
      .filter((routine) => !isTriggerFunction(catalog, routine))
      .filter(({ acl }) => acl.some(({ grantee }) => grantee === PUBLIC))
      .map((routine) => ({
        object: calledAs(routine),
        ...revokedFromPublic(catalog, routine, openedAsOwner(catalog, names, routine)),
      })),
}

/**
 * Whoever calls it, by a policy, a default, a trigger or by itself, does so as PUBLIC, and would be refused: only where it is a
 * leak that is the lesser harm.
 */
function revokedFromPublic(
  catalog: Catalog,
  routine: Routine,
  opened: Pick<Fault, 'weight' | 'detail'>,
): Pick<Fault, 'weight' | 'detail' | 'mend'> {
  const callers = [...(callersByTree(catalog).get(routine.oid) ?? [])].filter(
    (role) => !isOwnedBy(catalog, routine, role),
  )
  const to = callers.length === 0 ? '' : namesOfRoles(catalog, callers)
  const revoke = `revoke execute on ${grantedAs(routine)} from public;`
  const grant = to === '' ? '' : `grant execute on ${grantedAs(routine)} to ${to};`
  const others = `-- and for those who call it: grant execute on ${grantedAs(routine)} to …;`
  const mend = [revoke, ...(grant === '' ? [] : [grant]), others].join('\n')
  return { ...opened, mend: opened.weight === undefined ? commentedOut(mend) : mend }
}

/** Where it surely goes past policies and does not ask who asks. */
function openedAsOwner(
  catalog: Catalog,
  names: Names,
  routine: Routine,
): Pick<Fault, 'weight' | 'detail'> {
  if (!routine.isSecurityDefiner || !callersOf(catalog, routine).includes(PUBLIC)) return {}
  const past = readPast(
    catalog,
    [PUBLIC],
    new Set(reachOf(catalog, routine).relations.map(({ relation }) => relation)),
  )
  if (past === null || asksWho(catalog, names, routine)) return {}
  return { weight: 'leak', detail: `it acts with the rights of its owner on ${past}` }
}

export const hookExecutableByOthers: Rule = {
  name: 'hook-executable-by-others',
  weight: 'hole',
  why:
    'It is called when something has happened, by its owner’s code; whoever else may call it can say that ' +
    'something has happened which has not.',
  find: (catalog, { hookSchemas }) =>
    [...askedFunctions(catalog)]
      .filter(({ schema }) => hookSchemas.includes(schema.name))
      .flatMap((routine) =>
        routine.acl
          .filter(({ grantee }) => grantee !== routine.owner && grantee !== PUBLIC)
          .map(({ grantee }) => nameOfRole(catalog, grantee))
          .map((role) => ({
            object: `grant to ${role} on ${calledAs(routine)}`,
            mend: `revoke execute on ${grantedAs(routine)} from ${role};`,
          })),
      ),
}

export const securityDefinerWithoutSearchPath: Rule = {
  name: 'security-definer-without-search-path',
  weight: 'hole',
  why:
    'It acts with the rights of its owner and looks names up where its caller says: a table or an ' +
    'operator of the caller stands in for the one that was meant (CVE-2018-1058).',
  find: (catalog) =>
    definers(catalog)
      .filter((routine) => searchPathOf(routine) === null)
      .map((routine) => ({
        object: calledAs(routine),
        mend: setSearchPath(catalog, routine),
        ...whoReaches(catalog, routine),
      })),
}

/** With the schemas that its body needs, or it would find nothing from then on. */
function setSearchPath(catalog: Catalog, routine: Routine): string {
  const alter = `alter ${calledAs(routine)} set search_path =`
  const needed = neededSchemas(catalog, routine)
  if (needed === null)
    return (
      '-- its names are found in several schemas, or nobody can see where: when each is written with its own,\n' +
      `-- ${alter} pg_catalog, pg_temp;`
    )
  if (needed.length === 0) return `${alter} pg_catalog, pg_temp;`
  const better = `-- better: write every name in its body with its schema, and pg_catalog, pg_temp here\n`
  return `${better}${alter} ${needed.join(', ')}, pg_temp;`
}

/** A path that is empty is one on which pg_temp comes first. */
export const searchPathWithoutPgTempLast: Rule = {
  name: 'search-path-without-pg-temp-last',
  weight: 'leak',
  why:
    'Where pg_temp is not named last, temporary objects of the caller are found first, also before ' +
    'pg_catalog: a temporary type named like one of Postgres runs its maker’s code as the owner.',
  find: (catalog) =>
    definers(catalog).flatMap((routine) => {
      const path = searchPathOf(routine)
      if (path === null || path.at(-1) === 'pg_temp') return []
      return [
        {
          object: calledAs(routine),
          mend: `alter ${calledAs(routine)} set search_path = ${pathBeforePgTemp(routine)}, pg_temp;`,
          ...whoReaches(catalog, routine),
          ...(canMakeTemporary(catalog) ? {} : { weight: 'style' as const }),
        },
      ]
    }),
}

/** As it is written, without pg_temp. */
function pathBeforePgTemp({ settings }: Routine): string {
  const path = settings.find((one) => one.startsWith('search_path='))?.slice('search_path='.length)
  const rest = (path ?? '').replaceAll(/(^|, *)"?pg_temp"?(?=,|$)/g, '').replace(/^, *|^""$/g, '')
  return rest === '' ? 'pg_catalog' : rest
}

const canMakeTemporary = (catalog: Catalog): boolean =>
  askersWith(catalog, catalog.database.acl, 'temporary').length > 0

/** Whoever writes to a table calls its triggers. */
function whoReaches(catalog: Catalog, routine: Routine): Pick<Fault, 'weight' | 'detail'> {
  if (isTriggerFunction(catalog, routine)) {
    const fired = triggersOf(catalog, routine.oid).find(
      ({ relation }) => askersOf(catalog, relation, 'insert', 'update', 'delete').length > 0,
    )
    return fired === undefined
      ? { weight: 'style', detail: 'no role of requests sets it off' }
      : { detail: `whoever writes to ${fired.relation.sql} sets it off` }
  }
  const callers = callersOf(catalog, routine)
  return callers.length === 0
    ? { weight: 'style', detail: 'no role of requests may execute it' }
    : { detail: `${namesOfRoles(catalog, callers)} may execute it` }
}

/** It cannot be called, whoever may execute it. */
export function isTriggerFunction({ types }: Catalog, { returns }: Routine): boolean {
  const { name = '', kind = 'b' } = types.get(returns) ?? {}
  return kind === 'p' && (name === 'trigger' || name === 'event_trigger')
}

export function* askedFunctions({ functions }: Catalog): Generator<Routine> {
  for (const routine of functions.values()) if (routine.isAsked) yield routine
}

const definers = (catalog: Catalog): Routine[] =>
  [...askedFunctions(catalog)].filter(({ isSecurityDefiner }) => isSecurityDefiner)
