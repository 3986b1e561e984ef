import type { Access, ExposedFunction, ExposedRole, Exposure } from '../exposure.ts'
import { compareRelations } from './compare-relations.ts'
import { type Comparison, Notes } from './comparison.ts'

/**
 * What has become reachable from one map to the other, and what no longer is.
 *
 * @param describe an access in words, a line each
 */
export function compareExposures(
  before: Exposure,
  after: Exposure,
  describe: (access: Access) => string[],
): Comparison {
  const notes = new Notes()
  for (const part of [
    'roles',
    'schemas',
    'relations',
    'functions',
    'sequences',
    'large_objects',
    'default_privileges',
  ] as const) {
    // A map of an earlier version has fewer parts.
    if (!Array.isArray(before[part]) || !Array.isArray(after[part]))
      notes.comparison.not_compared.push(part)
    else if (part === 'relations') compareRelations(notes, before, after, describe)
    else comparing[part](notes, before, after)
  }
  return notes.comparison
}

type Compare = (notes: Notes, before: Exposure, after: Exposure) => void

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
  replicates: 'replicates',
  can_login: 'logs in',
} as const

const attributesOf = (role: ExposedRole | undefined): string[] =>
  role === undefined
    ? []
    : [
        ...Object.entries(attributes).flatMap(([attribute, says]) =>
          role[attribute as keyof typeof attributes] ? [says] : [],
        ),
        ...role.inherits.map((other) => `has what ${other} has`),
        ...role.may_become.map((other) => `may become ${other}`),
        ...(role.may_grant ?? []).map((other) => `may grant ${other}`),
      ]

const comparing: Record<
  'roles' | 'schemas' | 'functions' | 'sequences' | 'large_objects' | 'default_privileges',
  Compare
> = {
  roles: (notes, before, after) => {
    for (const [name, was, is] of pairs(before.roles, after.roles, (role) => role.name))
      notes.names(attributesOf(was), attributesOf(is), (action) => ({
        what: 'role',
        role: name,
        object: name,
        action,
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
        detail: is?.security === 'definer' && is.reach ? [`as its owner ${is.reach.as}`] : [],
      }))
      compareReach(notes, object, was, is)
    }
  },
  sequences: (notes, before, after) => {
    const all = ({ sequences }: Exposure) =>
      sequences.flatMap(({ schema, name, access }) =>
        access.flatMap(({ role, actions }) =>
          actions.map((action) => JSON.stringify([action, `${schema}.${name}`, role])),
        ),
      )
    notes.names(all(before), all(after), (key) => {
      const [action, object, role] = JSON.parse(key)
      return { what: 'sequence', role, object, action }
    })
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

/** What a function reaches matters where one of the roles may call it, before and after. */
function compareReach(
  notes: Notes,
  object: string,
  was: ExposedFunction | undefined,
  is: ExposedFunction | undefined,
) {
  if (
    was === undefined ||
    is === undefined ||
    is.executable_by.length === 0 ||
    was.reach === undefined
  )
    return
  const role =
    is.executable_by.length === 1 ? (is.executable_by[0] ?? null) : is.executable_by.join(', ')
  const reach = (of: ExposedFunction) =>
    of.reach === null
      ? []
      : [
          `acts as ${of.reach.as}`,
          ...(of.reach.past_row_security === null
            ? []
            : [`acts as one who is past row-level security (${of.reach.past_row_security})`]),
          ...of.reach.relations.map(
            ({ relation, rows }) => `reaches ${relation} (${rows === 'all' ? ALL_ROWS : rows})`,
          ),
          ...of.reach.functions.map((called) => `calls ${called}`),
          ...(of.reach.executes_text ? ['executes text'] : []),
        ]
  const [reached, reaches] = [reach(was), reach(is)]
  const isWithin = (action: string, others: readonly string[]) =>
    asMuchOrMore(action).some((one) => others.includes(one))
  const note = (direction: 'opened' | 'closed', action: string) =>
    notes.note(direction, { what: 'function', role, object, action })
  for (const action of new Set(reaches)) if (!isWithin(action, reached)) note('opened', action)
  for (const action of new Set(reached)) if (!isWithin(action, reaches)) note('closed', action)
}

const ALL_ROWS = 'all rows'
const inOrder = ['none', 'policies', ALL_ROWS]

/** Whoever reached all rows of a table reached those that its policies leave. */
function asMuchOrMore(action: string): string[] {
  const [, reaches, rows = ''] = /^(reaches .*) \((none|policies|all rows)\)$/s.exec(action) ?? []
  return reaches === undefined
    ? [action]
    : inOrder.slice(inOrder.indexOf(rows)).map((one) => `${reaches} (${one})`)
}
