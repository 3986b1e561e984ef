import type { Access, ExposedRelation, Exposure } from '../exposure/exposure.ts'
import {
  describeDefault,
  describeLargeObjects,
  describeParameter,
  describeReach,
  describeSequence,
  describeTurns,
} from './exposure-besides-tables.ts'
import {
  describeFunction,
  describeKind,
  describeRefused,
  describeRole,
  describeRows,
  nameOf,
} from './exposure-in-words.ts'
import { unreachedInWords, withoutUnreached } from './exposure-of-api.ts'
import { printableExposure } from './exposure-printable.ts'

/** What a page of Markdown says of itself. */
export interface ExposurePage {
  /** The command that prints it. */
  command: string
  /** What a reader has to know of these policies, as a paragraph; null for nothing. */
  note: string | null
  /** Whether an API server makes the statements, which knows no truncate. */
  isOfApi?: boolean
}

const preface = ({ command, note }: ExposurePage) => `# What each database role can do

Printed from the catalog by \`${command}\`; not to be edited. A change here is a change of what
somebody can reach: review it as one. What is not listed is refused.
${note === null ? '' : `\n${note}\n`}
A row is reached where any one of the policies named with \`where\` is true and all those
named with \`and only\` are; an update or delete that reads a column is narrowed by the select policies too.
**ALL ROWS** is said where no policy narrows anything.`

/**
 * An exposure map to be committed: in a fixed order, a line for each object, role and action.
 */
export function exposureInMarkdown(given: Exposure, page: ExposurePage): string {
  const printable = printableExposure(given)
  const exposure = page.isOfApi ? withoutUnreached(printable) : printable
  const { roles, schemas, relations, functions } = exposure
  return `${[
    preface(page),
    '## Roles',
    roles.map((role) => `- \`${role.name}\` ${describeRole(role)}`).join('\n'),
    '## Schemas',
    schemas.map(schemaInMarkdown).join('\n'),
    '## Tables and views',
    ...unreachedInWords(page.isOfApi ? printable : null),
    ...relations.map(relationInMarkdown),
    ...functionsInMarkdown(functions),
    ...listed('Sequences', exposure.sequences.flatMap(describeSequence)),
    ...listed('Large objects', exposure.large_objects.flatMap(describeLargeObjects)),
    ...listed('Settings of the server', exposure.parameters.flatMap(describeParameter)),
    ...listed('On what is made later', exposure.default_privileges.flatMap(describeDefault)),
    ...listed('Not seen', exposure.unseen),
  ].join('\n\n')}\n`
}

function schemaInMarkdown(schema: Exposure['schemas'][number]): string {
  const { name, usable_by, creatable_by, owned_by } = schema
  return [
    `- \`${name}\` may be used by ${codes(usable_by)}`,
    ...(creatable_by.length > 0 ? [`**made in by ${codes(creatable_by)}**`] : []),
    ...(owned_by.length > 0 ? [`owned by ${codes(owned_by)}`] : []),
  ].join('; ')
}

const listed = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`## ${heading}`, lines.map((line) => `- ${code(line)}`).join('\n')]

function functionsInMarkdown(functions: Exposure['functions']): string[] {
  if (functions.length === 0) return []
  const lines = functions.flatMap((shown) => [
    `- ${code(describeFunction(shown))}: ${codes(shown.executable_by)}`,
    ...describeReach(shown).map((line) => `  - ${code(line)}`),
  ])
  return ['## Functions', lines.join('\n')]
}

function relationInMarkdown(relation: ExposedRelation): string {
  const lines = relation.access.flatMap((access) => [
    `- \`${access.role}\` ${describeAccess(access)}`,
    ...describeRefused(access).map((line) => `  - **granted to no effect**: ${code(line)}`),
    ...(access.allowed
      ? describeRows(access.rows).map((line) => `  - ${rowsInMarkdown(line)}`)
      : []),
  ])
  const besides = describeTurns(relation)
  return [
    `### ${nameOf(relation)}`,
    `A ${describeKind(relation)}. ${lines.length === 0 ? 'None of these roles can do anything.' : ''}`.trim(),
    ...(lines.length === 0 ? [] : [lines.join('\n')]),
    ...(besides.length === 0 ? [] : [besides.map((line) => `- ${code(line)}`).join('\n')]),
  ].join('\n\n')
}

function describeAccess({ action, allowed, columns }: Access): string {
  if (!allowed) return `${action}s nothing`
  return columns.length === 0 ? `${action}s` : `${action}s ${codes(columns)}`
}

const rowsInMarkdown = (line: string): string =>
  /ALL ROWS|^no rows/.test(line) ? `**${line}**` : code(line)

const codes = (names: readonly string[]): string =>
  names.length === 0 ? 'none of these roles' : names.map(code).join(', ')

/** As code, whatever backticks are in it. */
export function code(text: string): string {
  const fence = '`'.repeat(Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length)) + 1)
  return fence.length === 1 ? `\`${text}\`` : `${fence} ${text} ${fence}`
}
