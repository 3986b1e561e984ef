import type { Access, ExposedRelation, Exposure } from '../exposure.ts'
import { reachOfRows } from '../reach-of-rows.ts'
import { compareRows } from './compare-rows.ts'
import type { Notes } from './comparison.ts'

/** In words, a line each. */
type Describe = (access: Access) => string[]

/** @param isOutOfReach what is granted, and no statement of these roles comes to */
export function compareRelations(
  notes: Notes,
  before: Exposure,
  after: Exposure,
  describe: Describe,
  isOutOfReach: (privilege: string) => boolean,
): void {
  const nameOf = ({ schema, name }: ExposedRelation) => `${schema}.${name}`
  const were = new Map(before.relations.map((relation) => [nameOf(relation), relation]))
  const are = new Map(after.relations.map((relation) => [nameOf(relation), relation]))
  for (const object of new Set([...were.keys(), ...are.keys()])) {
    const [was, is] = [were.get(object) ?? nothing, are.get(object) ?? nothing]
    compareAccess(notes, object, was, is, describe, isOutOfReach)
    compareSettings(notes, object, was, is, isOutOfReach)
    compareDefinitions(notes, object, was, is)
    if (was === nothing && is.access.every((access) => reachOf(access) === 'none'))
      notes.note('new', {
        what: 'relation',
        object,
        action: 'is new, and nobody reaches a row of it',
      })
  }
}

type Compared = Pick<
  ExposedRelation,
  'access' | 'row_security' | 'owned_by' | 'rights' | 'rules' | 'definer_triggers' | 'definition'
>

const nothing: Compared = {
  access: [],
  row_security: null,
  owned_by: [],
  rights: [],
  rules: [],
  definer_triggers: [],
  definition: null,
}

/** What a view reads decides, where it has other rights than whoever asks; whether another query reads more, is not told from here. */
function compareDefinitions(notes: Notes, object: string, was: Compared, is: Compared) {
  // A map of an earlier version has none.
  if (typeof was.definition !== 'string' || typeof is.definition !== 'string') return
  if (was.definition === is.definition) return
  const detail = [is.definition, `before: ${was.definition}`]
  const reach = is.access.some((access) => reachOf(access) === 'all') ? 'all' : 'some'
  notes.note('changed', { what: 'view', object, action: 'reads something else', detail, reach })
}

const reachOf = ({ allowed, rows }: Access) => (allowed ? reachOfRows(rows) : 'none')

function compareAccess(
  notes: Notes,
  object: string,
  was: Compared,
  is: Compared,
  describe: Describe,
  isOutOfReach: (privilege: string) => boolean,
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
    const reach = isOutOfReach(action) ? 'none' : reachOfRows(rows)
    const change = { role, object, action, reach, detail: describe(access) }
    const more =
      then === undefined ? columns : columns.filter((column) => !then.columns.includes(column))
    if (then === undefined || more.length > 0)
      notes.note(reach === 'none' ? 'new' : 'opened', { ...change, what: 'access', columns: more })
    const width = then === undefined ? 'same' : compareRows(then.rows, rows)
    const before = then === undefined ? [] : describe(then).map((line) => `before: ${line}`)
    const detail = [...change.detail, ...before]
    if (width === 'wider' && reach === 'none')
      notes.note('new', { ...change, what: 'rows', detail })
    else if (width === 'wider') notes.note('opened', { ...change, what: 'rows', detail })
    if (width === 'changed') notes.note('changed', { ...change, what: 'rows', detail })
  }
}

const strength = ['off', 'on', 'forced'] as const

function compareSettings(
  notes: Notes,
  object: string,
  was: Compared,
  is: Compared,
  isOutOfReach: (privilege: string) => boolean,
) {
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
      reach: isLess && is.row_security === 'off' ? 'all' : 'none',
    })
  }
  notes.names(was.owned_by, is.owned_by, (role) => ({
    what: 'owner',
    role,
    object,
    action: 'owns',
    reach: 'everything',
  }))
  const rights = ({ rights: all }: Compared) =>
    all.flatMap(({ role, privileges }) => privileges.map((privilege) => `${privilege} ${role}`))
  notes.names(
    rights(was),
    rights(is),
    (key) => {
      const [action = '', ...role] = key.split(' ')
      return { what: 'access', role: role.join(' '), object, action }
    },
    (key) => (isOutOfReach(key.split(' ')[0] ?? '') ? 'new' : 'opened'),
  )
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
