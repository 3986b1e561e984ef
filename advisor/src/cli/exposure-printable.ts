import type { Exposure } from '../exposure/exposure.ts'
import { onOneLine } from '../printable.ts'

/** Of these, line breaks are made spaces later. */
const ofSeveralLines = new Set(['using', 'with_check', 'definition'])

/** A map whose names a terminal or a page may be given, a line each. */
export function printableExposure(exposure: Exposure): Exposure {
  if (namesIn(exposure).every((name) => onOneLine(name) === name)) return exposure
  return JSON.parse(JSON.stringify(exposure), (key, value) =>
    typeof value === 'string' && !ofSeveralLines.has(key) ? onOneLine(value) : value,
  )
}

/** What people may have called something by. */
const namesIn = ({
  roles,
  schemas,
  relations,
  functions,
  sequences,
  default_privileges,
}: Exposure) => [
  ...roles.flatMap(({ name, inherits, may_become, may_grant }) => [
    name,
    ...inherits,
    ...may_become,
    ...may_grant,
  ]),
  ...schemas.map(({ name }) => name),
  ...relations.flatMap(namesOf),
  ...functions.flatMap(({ signature, returns, reach }) => [
    signature,
    returns ?? '',
    JSON.stringify(reach),
  ]),
  ...sequences.map(({ name }) => name),
  ...default_privileges.map(({ made_by }) => made_by),
]

const namesOf = ({
  name,
  columns,
  owner,
  rules,
  definer_triggers,
  access,
}: Exposure['relations'][number]) => [
  name,
  owner,
  ...columns,
  ...rules.map((rule) => rule.name),
  ...definer_triggers.flatMap((trigger) => [trigger.name, trigger.function, trigger.as]),
  ...access.flatMap(({ refused, rows }) => [
    ...refused.map(({ reason }) => reason),
    ...(rows.kind === 'policies'
      ? rows.policies.map((policy) => policy.name)
      : [rows.kind === 'all' ? '' : JSON.stringify(rows)]),
  ]),
]
