import type {
  ExposedDefault,
  ExposedFunction,
  ExposedLargeObjects,
  ExposedParameter,
  ExposedRelation,
  ExposedSequence,
} from '../exposure/exposure.ts'

/** What goes round grants on tables, in lines of words for every form that a map is printed in. */

/** What a relation has besides its rows: who owns it, what else is granted, what is made of statements on it. */
export function describeTurns(relation: ExposedRelation): string[] {
  const { owned_by, rights, rules, definer_triggers } = relation
  return [
    ...(owned_by.length > 0
      ? [`owned by ${owned_by.join(', ')}, who may alter it and turn its row-level security off`]
      : []),
    ...grouped(rights).map(
      ({ roles, privileges }) => `${roles.join(', ')}: ${privileges.join(', ')}`,
    ),
    ...rules.map(
      ({ name, event, is_instead, as }) =>
        `rule ${name}: ${is_instead ? 'instead of' : 'besides'} ${event}, with the rights of ${as}`,
    ),
    ...definer_triggers.map(
      ({ name, function: called, as }) =>
        `trigger ${name}: calls ${called}, with the rights of ${as}`,
    ),
  ]
}

function grouped(rights: ExposedRelation['rights']) {
  const by = new Map<string, { roles: string[]; privileges: readonly string[] }>()
  for (const { role, privileges } of rights) {
    const found = by.get(privileges.join()) ?? { roles: [], privileges }
    found.roles.push(role)
    by.set(privileges.join(), found)
  }
  return [...by.values()]
}

const MOST_NAMED = 12

/** What a function reaches with rights that are not its caller's. */
export function describeReach({ reach, executable_by }: ExposedFunction): string[] {
  if (reach === null || executable_by.length === 0) return []
  const whose = `as its owner ${reach.as}${reach.past_row_security === null ? '' : reach.past_row_security === 'superuser' ? ', A SUPERUSER' : ', WHO BYPASSES ROW-LEVEL SECURITY'}`
  if (reach.known_by === 'unknown') return [`${whose}: its body cannot be read`]
  const named = reach.relations.map(({ relation, rows }) =>
    rows === 'all' || rows === 'view'
      ? relation
      : `${relation} (${rows === 'none' ? 'no rows' : 'as policies let it'})`,
  )
  const more = named.length - MOST_NAMED
  const tables = [...named.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])]
  return [
    `${whose}: ${[
      tables.length === 0
        ? reach.without_schema.length === 0
          ? 'names no table'
          : null
        : `${reach.known_by === 'parsed' ? 'reaches' : 'names'} ${tables.join(', ')}`,
      reach.without_schema.length === 0
        ? null
        : `names tables without a schema, which the search_path of its caller decides: ${reach.without_schema.slice(0, MOST_NAMED).join(', ')}`,
      ...(reach.functions.length > 0
        ? [`calls ${reach.functions.slice(0, MOST_NAMED).join(', ')}`]
        : []),
      ...(reach.executes_text ? ['EXECUTES TEXT'] : []),
    ]
      .filter((part) => part !== null)
      .join('; ')}`,
  ]
}

/** Nothing of a sequence that none of the roles may touch. */
export function describeSequence({ schema, name, of, access }: ExposedSequence): string[] {
  const by = new Map<string, string[]>()
  for (const { role, actions, only_by_number } of access) {
    const can = `${actions.join(', ')}${only_by_number ? ' (by its number: its schema may not be used)' : ''}`
    by.set(can, [...(by.get(can) ?? []), role])
  }
  const whose = of === null ? '' : ` (of ${of})`
  return [...by].map(([can, roles]) => `${schema}.${name}${whose}: ${roles.join(', ')} ${can}`)
}

export function describeLargeObjects({
  owner,
  count,
  first,
  access,
}: ExposedLargeObjects): string[] {
  const which = count === 1 ? `${first}` : `${count} from ${first} on`
  return access.map(({ role, actions }) => `${which}, of ${owner}: ${role} ${actions.join(', ')}`)
}

export const describeParameter = ({ name, access }: ExposedParameter): string[] =>
  access.map(({ role, actions }) => `${name}: ${role} ${actions.join(', ')}`)

export function describeDefault({ made_by, schema, object, grants }: ExposedDefault): string[] {
  const where = schema === null ? '' : ` in ${schema}`
  return grants.map(
    ({ role, privileges }) =>
      `each ${object} that ${made_by} makes${where}: ${role} ${privileges.join(', ')}`,
  )
}
