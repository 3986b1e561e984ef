import type {
  Access,
  AppliedPolicy,
  ExposedFunction,
  ExposedRelation,
  ExposedRole,
  Exposure,
  Rows,
} from '../exposure/exposure.ts'
import { tidyExpression } from './tidy-expression.ts'

/** An exposure map for the terminal. */
export function exposureInWords(exposure: Exposure): string {
  const { roles, schemas, relations, functions } = exposure
  return [
    'Roles\n',
    ...roles.map((role) => `  ${role.name.padEnd(width(roles))}  ${describeRole(role)}`),
    '\nSchemas\n',
    ...schemas.map(({ name, usable_by }) => `  ${name.padEnd(width(schemas))}  ${list(usable_by)}`),
    '\nTables and views',
    ...relations.map((relation) => relationInWords(relation, width(roles))),
    ...(functions.length === 0 ? [] : ['\nFunctions\n']),
    ...functions.map((shown) => `  ${describeFunction(shown)}\n      ${list(shown.executable_by)}`),
  ].join('\n')
}

const width = (named: readonly { name: string }[]): number =>
  Math.max(0, ...named.map(({ name }) => name.length))

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'none of these roles' : names.join(', ')

export function describeRole(role: ExposedRole): string {
  const facts = [
    role.is_superuser ? 'IS A SUPERUSER: nothing here binds it' : null,
    role.bypasses_row_security ? 'BYPASSES ROW-LEVEL SECURITY' : null,
    role.inherits.length > 0 ? `has what ${role.inherits.join(', ')} has` : null,
    role.may_become.length > 0 ? `may become ${role.may_become.join(', ')}` : null,
  ].filter((fact) => fact !== null)
  return facts.length === 0 ? 'is no other role' : facts.join('; ')
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
  if (relation.access.length === 0) return `${heading}\n    none of these roles can do anything`
  const margin = ' '.repeat(4 + roleWidth + 2 + 10)
  const lines = relation.access.flatMap((access) => [
    `    ${access.role.padEnd(roleWidth)}  ${access.action.padEnd(8)}  ${describeColumns(access, relation)}`,
    ...describeRefused(access).map((line) => margin + line),
    ...(access.allowed ? describeRows(access.rows).map((line) => margin + line) : []),
  ])
  return [heading, ...lines].join('\n')
}

function describeColumns({ action, allowed, columns }: Access, relation: ExposedRelation): string {
  if (!allowed) return 'nothing, though it is granted'
  if (action === 'delete' || action === 'truncate') return 'whole rows'
  if (columns.length === relation.columns.length) return `all ${columns.length} columns`
  return columns.join(', ')
}

/** What has been granted to no effect. */
export function describeRefused({ refused }: Access): string[] {
  return refused.map(
    ({ columns, reason }) =>
      `${columns.length === 0 ? 'it' : columns.join(', ')} is granted, but Postgres refuses: ${reason}`,
  )
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
  }
}

/** A policy that asks for nothing, with none to narrow it, is said loudly: it is as if there were none. */
function describePolicies(policies: readonly AppliedPolicy[]): string[] {
  const isNarrowed = policies.some(({ is_restrictive }) => is_restrictive)
  const open = policies.find(({ using, with_check }) =>
    [using, with_check].every((part) => part === null || part === 'true'),
  )
  const loud = open === undefined || isNarrowed ? null : open
  return policies.map((policy) =>
    policy === loud
      ? `ALL ROWS: the policy ${policy.name} asks for nothing`
      : describePolicy(policy),
  )
}

function describePolicy({ name, is_restrictive, using, with_check }: AppliedPolicy): string {
  const parts = [
    using === null ? null : `using ${tidyExpression(using)}`,
    with_check === null
      ? null
      : `with check ${with_check === using ? '(the same)' : tidyExpression(with_check)}`,
  ].filter((part) => part !== null)
  return `${is_restrictive ? 'and only' : 'where'} ${name}: ${parts.join(' ')}`
}
