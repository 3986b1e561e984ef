import type {
  Access,
  AppliedPolicy,
  ExposedFunction,
  ExposedRelation,
  ExposedRole,
  Exposure,
  Rows,
} from '../exposure/exposure.ts'
import { openPolicyOf } from '../exposure/reach-of-rows.ts'
import {
  describeDefault,
  describeLargeObjects,
  describeParameter,
  describeReach,
  describeSequence,
  describeTurns,
} from './exposure-besides-tables.ts'
import { unreachedInWords, withoutUnreached } from './exposure-of-api.ts'
import { printableExposure } from './exposure-printable.ts'
import { tidyExpression } from './tidy-expression.ts'

/** An exposure map for the terminal. */
export function exposureInWords(given: Exposure, { isOfApi = false } = {}): string {
  const printable = printableExposure(given)
  const exposure = isOfApi ? withoutUnreached(printable) : printable
  const { roles, schemas, relations, functions } = exposure
  return [
    'Roles\n',
    ...roles.map((role) => `  ${role.name.padEnd(width(roles))}  ${describeRole(role)}`),
    '\nSchemas\n',
    ...schemas.map(
      (schema) => `  ${schema.name.padEnd(width(schemas))}  ${describeSchema(schema)}`,
    ),
    '\nTables and views',
    ...unreachedInWords(isOfApi ? printable : null).map((line) => `\n  ${line}`),
    ...relations.map((relation) => relationInWords(relation, width(roles))),
    ...section(
      'Functions',
      functions.flatMap((shown) => [
        describeFunction(shown),
        `    ${list(shown.executable_by)}`,
        ...describeReach(shown).map((line) => `    ${line}`),
      ]),
    ),
    ...section('Sequences', exposure.sequences.flatMap(describeSequence)),
    ...section('Large objects', exposure.large_objects.flatMap(describeLargeObjects)),
    ...section('Settings of the server', exposure.parameters.flatMap(describeParameter)),
    ...section('On what is made later', exposure.default_privileges.flatMap(describeDefault)),
    ...section('Not seen', exposure.unseen),
  ].join('\n')
}

const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`\n${heading}\n`, ...lines.map((line) => `  ${line}`)]

const width = (named: readonly { name: string }[]): number =>
  Math.max(0, ...named.map(({ name }) => name.length))

export const list = (names: readonly string[]): string =>
  names.length === 0 ? 'none of these roles' : names.join(', ')

export function describeRole(role: ExposedRole): string {
  const facts = [
    role.is_superuser ? 'IS A SUPERUSER: nothing here binds it' : null,
    role.bypasses_row_security ? 'BYPASSES ROW-LEVEL SECURITY' : null,
    role.creates_roles ? 'MAKES ROLES' : null,
    role.replicates ? 'REPLICATES, and so reads everything' : null,
    role.creates_databases ? 'makes databases' : null,
    role.creates_schemas ? 'makes schemas' : null,
    role.inherits.length > 0 ? `has what ${role.inherits.join(', ')} has` : null,
    role.may_become.length > 0 ? `may become ${role.may_become.join(', ')}` : null,
    role.may_grant.length > 0 ? `MAY GRANT ${role.may_grant.join(', ')}` : null,
  ].filter((fact) => fact !== null)
  return facts.length === 0 ? 'is no other role' : facts.join('; ')
}

export function describeSchema({
  usable_by,
  creatable_by,
  owned_by,
}: Exposure['schemas'][number]): string {
  return [
    list(usable_by),
    ...(creatable_by.length > 0 ? [`MADE IN BY ${creatable_by.join(', ')}`] : []),
    ...(owned_by.length > 0 ? [`owned by ${owned_by.join(', ')}`] : []),
  ].join('; ')
}

export const nameOf = ({ schema, name }: { schema: string; name: string }): string =>
  `${schema}.${name}`

export function describeKind({ kind, row_security }: ExposedRelation): string {
  if (row_security === null) return kind
  if (row_security === 'off') return `${kind}, ROW-LEVEL SECURITY IS OFF`
  return `${kind}, row-level security is on${row_security === 'forced' ? ', for the owner too' : ''}`
}

export const describeFunction = ({ schema, signature, returns, kind, security }: ExposedFunction) =>
  `${schema}.${signature}${returns === null ? '' : ` returns ${returns}`} (${kind === 'function' ? '' : `${kind}, `}security ${security})`

function relationInWords(relation: ExposedRelation, roleWidth: number): string {
  const heading = `\n  ${nameOf(relation)}  (${describeKind(relation)})`
  const besides = describeTurns(relation).map((line) => `    ${line}`)
  if (relation.access.length === 0)
    return [heading, '    none of these roles can do anything', ...besides].join('\n')
  const margin = ' '.repeat(4 + roleWidth + 2 + 10)
  const lines = relation.access.flatMap((access) => [
    `    ${access.role.padEnd(roleWidth)}  ${access.action.padEnd(8)}  ${describeColumns(access, relation)}`,
    ...describeRefused(access).map((line) => margin + line),
    ...(access.allowed ? describeRows(access.rows).map((line) => margin + line) : []),
  ])
  return [heading, ...lines, ...besides].join('\n')
}

function describeColumns({ action, allowed, columns }: Access, relation: ExposedRelation): string {
  if (!allowed) return 'nothing, though it is granted'
  if (action === 'delete' || action === 'truncate') return 'whole rows'
  if (columns.length === relation.columns.length) return `all ${columns.length} columns`
  return columns.join(', ')
}

/** What has been granted to no effect, or perhaps to none. */
export function describeRefused({ refused, unsure }: Access): string[] {
  const named = (columns: readonly string[]) => (columns.length === 0 ? 'it' : columns.join(', '))
  return [
    ...refused.map(
      ({ columns, reason }) => `${named(columns)} is granted, but Postgres refuses: ${reason}`,
    ),
    ...(unsure ?? []).map(
      ({ columns, reason }) =>
        `${named(columns)} is granted, and Postgres may refuse, as it happens to plan: ${reason}`,
    ),
  ]
}

/** Which rows those are, a line each. */
export function describeRows(rows: Rows): string[] {
  switch (rows.kind) {
    case 'all':
      return [`ALL ROWS: ${rows.reason}`]
    case 'none':
      return ['no rows: row-level security is on, and no policy is for this role']
    case 'policies':
      return describePolicies(rows.policies)
    case 'view':
      return rows.reads.flatMap(({ relation, as, rows: read }) =>
        describeRows(read).map((line) => `of ${relation} as ${as}: ${line}`),
      )
    case 'rules':
      return [
        ...(rows.itself === null ? [] : describeRows(rows.itself)),
        ...rows.does.flatMap(({ rule, action, relation, as, rows: done }) =>
          describeRows(done).map(
            (line) => `the rule ${rule} makes it ${action} ${relation} as ${as}: ${line}`,
          ),
        ),
        ...(rows.itself === null && rows.does.length === 0
          ? ['no rows: a rule does nothing instead']
          : []),
      ]
  }
}

/** A policy that asks for nothing, with none to narrow it, is said loudly: it is as if there were none. */
function describePolicies(policies: readonly AppliedPolicy[]): string[] {
  const loud = openPolicyOf(policies)
  return policies.map((policy) =>
    policy === loud
      ? `ALL ROWS: the policy ${policy.name} asks for nothing`
      : describePolicy(policy),
  )
}

export function describePolicy({ name, is_restrictive, using, with_check }: AppliedPolicy): string {
  const parts = [
    using === null ? null : `using ${tidyExpression(using)}`,
    with_check === null
      ? null
      : `with check ${with_check === using ? '(the same)' : tidyExpression(with_check)}`,
  ].filter((part) => part !== null)
  return `${is_restrictive ? 'and only' : 'where'} ${name}: ${parts.join(' ')}`
}
