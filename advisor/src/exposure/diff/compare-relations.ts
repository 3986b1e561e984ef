import type { Access, ExposedRelation, Exposure } from '../exposure.ts'
import { compareRows } from './compare-rows.ts'
import type { Notes } from './comparison.ts'

/** In words, a line each. */
type Describe = (access: Access) => string[]

export function compareRelations(
  notes: Notes,
  before: Exposure,
  after: Exposure,
  describe: Describe,
): void {
  const nameOf = ({ schema, name }: ExposedRelation) => `${schema}.${name}`
  const were = new Map(before.relations.map((relation) => [nameOf(relation), relation]))
  const are = new Map(after.relations.map((relation) => [nameOf(relation), relation]))
  for (const object of new Set([...were.keys(), ...are.keys()])) {
    const [was, is] = [were.get(object) ?? nothing, are.get(object) ?? nothing]
    compareAccess(notes, object, was, is, describe)
    compareSettings(notes, object, was, is)
  }
}

type Compared = Pick<
  ExposedRelation,
  'access' | 'row_security' | 'owned_by' | 'rights' | 'rules' | 'definer_triggers'
>

const nothing: Compared = {
  access: [],
  row_security: null,
  owned_by: [],
  rights: [],
  rules: [],
  definer_triggers: [],
}

function compareAccess(
  notes: Notes,
  object: string,
  was: Compared,
  is: Compared,
  describe: Describe,
) {
  const keyOf = ({ role, action }: Access) => `${action} ${role}`
  const allowed = ({ access }: Compared) =>
    new Map(access.filter((one) => one.allowed).map((one) => [keyOf(one), one]))
  const [were, are] = [allowed(was), allowed(is)]
  for (const [key, { role, action, columns, rows }] of were) {
    const now = are.get(key)
    const fewer =
      now === undefined ? columns : columns.filter((column) => !now.columns.includes(column))
    if (now === undefined || fewer.length > 0)
      notes.note('closed', { what: 'access', role, object, action, columns: fewer })
    else if (compareRows(rows, now.rows) === 'narrower')
      notes.note('closed', { what: 'rows', role, object, action, detail: describe(now) })
  }
  for (const [key, access] of are) {
    const { role, action, columns, rows } = access
    const then = were.get(key)
    const change = { role, object, action, detail: describe(access) }
    const more =
      then === undefined ? columns : columns.filter((column) => !then.columns.includes(column))
    if (then === undefined || more.length > 0)
      notes.note('opened', { ...change, what: 'access', columns: more })
    const width = then === undefined ? 'same' : compareRows(then.rows, rows)
    const before = then === undefined ? [] : describe(then).map((line) => `before: ${line}`)
    const detail = [...change.detail, ...before]
    if (width === 'wider') notes.note('opened', { ...change, what: 'rows', detail })
    if (width === 'changed') notes.note('changed', { ...change, what: 'rows', detail })
  }
}

const strength = ['off', 'on', 'forced'] as const

function compareSettings(notes: Notes, object: string, was: Compared, is: Compared) {
  if (
    was.row_security !== null &&
    is.row_security !== null &&
    was.row_security !== is.row_security
  ) {
    const isLess = strength.indexOf(is.row_security) < strength.indexOf(was.row_security)
    notes.note(isLess ? 'opened' : 'closed', {
      what: 'row-level security',
      object,
      action: `row-level security is ${is.row_security}, and was ${was.row_security}`,
    })
  }
  notes.names(was.owned_by, is.owned_by, (role) => ({
    what: 'owner',
    role,
    object,
    action: 'owns',
  }))
  const rights = ({ rights: all }: Compared) =>
    all.flatMap(({ role, privileges }) => privileges.map((privilege) => `${privilege} ${role}`))
  notes.names(rights(was), rights(is), (key) => {
    const [action = '', ...role] = key.split(' ')
    return { what: 'access', role: role.join(' '), object, action }
  })
  const turns = ({ rules, definer_triggers }: Compared) => [
    ...rules.map(({ name, definition, as }) => `rule ${name} as ${as}: ${definition}`),
    ...definer_triggers.map(
      ({ name, function: called, as }) => `trigger ${name} calls ${called} as ${as}`,
    ),
  ]
  const [before, after] = [turns(was), turns(is)]
  for (const detail of after)
    if (!before.includes(detail))
      notes.note('changed', {
        what: 'rule or trigger',
        object,
        action: 'does more',
        detail: [detail],
      })
  for (const detail of before)
    if (!after.includes(detail))
      notes.note('changed', {
        what: 'rule or trigger',
        object,
        action: 'no longer does',
        detail: [detail],
      })
}
