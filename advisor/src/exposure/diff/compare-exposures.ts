import type { Access, ExposedFunction, ExposedRole, Exposure } from '../exposure.ts'
import { compareBody, compareReach, reachOfFunction } from './compare-functions.ts'
import { compareRelations } from './compare-relations.ts'
import { type Change, type Comparison, Notes } from './comparison.ts'

/**
 * What has become reachable from one map to the other, and what no longer is.
 *
 * @param describe an access in words, a line each
 * @param isOutOfReach what is granted, and no statement of these roles comes to: a privilege, `truncate`
 */
export function compareExposures(
  before: Exposure,
  after: Exposure,
  describe: (access: Access) => string[],
  isOutOfReach: (privilege: string) => boolean = () => false,
): Comparison {
  const notes = new Notes()
  for (const part of [
    'roles',
    'schemas',
    'relations',
    'functions',
    'sequences',
    'large_objects',
    'parameters',
    'default_privileges',
    'above',
  ] as const) {
    // A map of an earlier version has fewer parts.
    if (!Array.isArray(before[part]) || !Array.isArray(after[part]))
      notes.comparison.not_compared.push(part)
    else if (part === 'relations') compareRelations(notes, before, after, describe, isOutOfReach)
    else comparing[part](notes, before, after, isOutOfReach)
  }
  if (before.relations.some(({ definition }) => definition === undefined))
    notes.comparison.not_compared.push('what views read')
  if (before.functions.some(({ body }) => body === undefined))
    notes.comparison.not_compared.push('bodies of functions')
  return withoutConsequences(notes.comparison, before, after)
}

/** Of whoever is a superuser now, that says it all; and whoever was one has gained nothing. */
function withoutConsequences(
  comparison: Comparison,
  before: Exposure,
  { roles }: Exposure,
): Comparison {
  const { roles: were } = before
  const was = new Set(were.filter((role) => role.is_superuser).map(({ name }) => name))
  const become = new Set(
    roles.filter((role) => role.is_superuser && !was.has(role.name)).map(({ name }) => name),
  )
  const above = new Set(
    before.above?.flatMap(({ name, because }) =>
      because.includes('is a superuser') ? [name] : [],
    ),
  )
  for (const { name } of were) above.delete(name)
  const isTold = ({ what, role, action }: Change) =>
    role === null ||
    (!above.has(role) &&
      (!become.has(role) || (what === 'role' && action === attributes.is_superuser)))
  const { opened, changed, closed, new: come, ...rest } = comparison
  return {
    ...rest,
    opened: opened.filter(isTold),
    changed: changed.filter(isTold),
    closed: closed.filter(isTold),
    new: come.filter(isTold),
  }
}

type Compare = (
  notes: Notes,
  before: Exposure,
  after: Exposure,
  isOutOfReach: (privilege: string) => boolean,
) => void

/** By name, with something that is nothing where one has none of it. */
function pairs<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (one: T) => string,
): [string, T | undefined, T | undefined][] {
  const [were, are] = [before, after].map((all) => new Map(all.map((one) => [nameOf(one), one])))
  const names = new Set([...(were?.keys() ?? []), ...(are?.keys() ?? [])])
  return [...names].map((name) => [name, were?.get(name), are?.get(name)])
}

const attributes = {
  is_superuser: 'is a superuser',
  bypasses_row_security: 'bypasses row-level security',
  creates_roles: 'makes roles',
  creates_databases: 'makes databases',
  creates_schemas: 'makes schemas',
  replicates: 'replicates',
  can_login: 'logs in',
} as const

/** @param other the same role in the other map, which may be of an earlier version and know fewer attributes */
const attributesOf = (role: ExposedRole | undefined, other: ExposedRole | undefined): string[] =>
  role === undefined
    ? []
    : [
        ...Object.entries(attributes).flatMap(([attribute, says]) =>
          role[attribute as keyof typeof attributes] && (other === undefined || attribute in other)
            ? [says]
            : [],
        ),
        ...role.inherits.map((other) => `has what ${other} has`),
        ...role.may_become.map((other) => `may become ${other}`),
        ...(role.may_grant ?? []).map((other) => `may grant ${other}`),
      ]

const comparing: Record<
  | 'roles'
  | 'schemas'
  | 'functions'
  | 'sequences'
  | 'large_objects'
  | 'parameters'
  | 'default_privileges'
  | 'above',
  Compare
> = {
  roles: (notes, before, after) => {
    for (const [name, was, is] of pairs(before.roles, after.roles, (role) => role.name))
      notes.names(attributesOf(was, is), attributesOf(is, was), (action) => ({
        what: 'role',
        role: name,
        object: name,
        action,
        reach: ['is a superuser', 'bypasses row-level security', 'replicates'].includes(action)
          ? 'everything'
          : 'some',
      }))
  },
  above: (notes, before, after) => {
    const shown = new Set([...before.roles, ...after.roles].map(({ name }) => name))
    for (const [name, was, is] of pairs(before.above, after.above, (one) => one.name))
      if (!shown.has(name))
        notes.names(was?.because ?? [], is?.because ?? [], (action) => ({
          what: 'role',
          role: name,
          object: name,
          action,
          reach: 'everything',
        }))
  },
  schemas: (notes, before, after) => {
    for (const [object, was, is] of pairs(before.schemas, after.schemas, ({ name }) => name))
      for (const [key, action] of [
        ['usable_by', 'use'],
        ['creatable_by', 'make in'],
        ['owned_by', 'own'],
      ] as const)
        notes.names(was?.[key] ?? [], is?.[key] ?? [], (role) => ({
          what: 'schema',
          role,
          object,
          action,
        }))
  },
  functions: (notes, before, after) => {
    const nameOf = ({ schema, signature }: ExposedFunction) => `${schema}.${signature}`
    for (const [object, was, is] of pairs(before.functions, after.functions, nameOf)) {
      notes.names(was?.executable_by ?? [], is?.executable_by ?? [], (role) => ({
        what: 'function',
        role,
        object,
        action: 'execute',
        reach: is === undefined ? 'none' : reachOfFunction(is),
        detail: is?.security === 'definer' && is.reach ? [`as its owner ${is.reach.as}`] : [],
      }))
      compareReach(notes, object, was, is)
      compareBody(notes, object, was, is)
    }
  },
  sequences: (notes, before, after, isOutOfReach) => {
    const all = ({ sequences }: Exposure) =>
      sequences.flatMap(({ schema, name, access }) =>
        access.flatMap(({ role, actions }) =>
          actions.map((action) => JSON.stringify([action, `${schema}.${name}`, role])),
        ),
      )
    notes.names(
      all(before),
      all(after),
      (key) => {
        const [action, object, role] = JSON.parse(key)
        return { what: 'sequence', role, object, action }
      },
      () => (isOutOfReach('setval') ? 'new' : 'opened'),
    )
  },
  large_objects: (notes, before, after) => {
    const all = ({ large_objects }: Exposure) => {
      const counts = new Map<string, number>()
      for (const { owner, count, access } of large_objects)
        for (const { role, actions } of access)
          for (const action of actions) {
            const key = JSON.stringify([action, owner, role])
            counts.set(key, (counts.get(key) ?? 0) + count)
          }
      return counts
    }
    const [were, are] = [all(before), all(after)]
    for (const key of new Set([...were.keys(), ...are.keys()])) {
      const [was, is] = [were.get(key) ?? 0, are.get(key) ?? 0]
      const [action, owner, role] = JSON.parse(key)
      if (was !== is)
        notes.note(is > was ? 'opened' : 'closed', {
          what: 'large objects',
          role,
          object: `large objects of ${owner}`,
          action,
          detail: [`${is}, and ${was} before`],
        })
    }
  },
  parameters: (notes, before, after) => {
    const all = ({ parameters }: Exposure) =>
      parameters.flatMap(({ name, access }) =>
        access.flatMap(({ role, actions }) =>
          actions.map((action) => JSON.stringify([action, name, role])),
        ),
      )
    notes.names(all(before), all(after), (key) => {
      const [action, object, role] = JSON.parse(key)
      return { what: 'parameter', role, object, action }
    })
  },
  default_privileges: (notes, before, after) => {
    const all = ({ default_privileges }: Exposure) =>
      default_privileges.flatMap(({ made_by, schema, object, grants }) =>
        grants.flatMap(({ role, privileges }) =>
          privileges.map((privilege) =>
            JSON.stringify([
              privilege,
              `each ${object} that ${made_by} makes${schema === null ? '' : ` in ${schema}`}`,
              role,
            ]),
          ),
        ),
      )
    notes.names(all(before), all(after), (key) => {
      const [action, object, role] = JSON.parse(key)
      return { what: 'default privilege', role, object, action }
    })
  },
}
