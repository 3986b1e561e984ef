import type { Change, Comparison } from '../exposure/diff/comparison.ts'
import { onOneLine } from '../printable.ts'
import { code } from './exposure-in-markdown.ts'

/** Changes that are alike but for whose they are. */
interface Group extends Omit<Change, 'role'> {
  roles: string[]
}

function grouped(changes: readonly Change[]): Group[] {
  const groups = new Map<string, Group>()
  for (const { role, ...change } of changes.map(printableChange)) {
    const key = JSON.stringify(change)
    const group = groups.get(key) ?? { ...change, roles: [] }
    if (role !== null) group.roles.push(role)
    groups.set(key, group)
  }
  // First what decides much of the rest.
  const keyOf = ({ what, object }: Group) =>
    `${what === 'role' ? 0 : what === 'row-level security' ? 1 : 2} ${object}`
  return [...groups.values()].sort((a, b) =>
    keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0,
  )
}

const printableChange = ({ detail, ...change }: Change): Change => ({
  ...change,
  role: change.role === null ? null : onOneLine(change.role),
  object: onOneLine(change.object),
  action: onOneLine(change.action),
  columns: change.columns.map(onOneLine),
  detail: detail.map((line) => onOneLine(line.replaceAll(/\s+/g, ' '))),
})

const headings = {
  opened: 'Opened',
  changed: 'Changed, to be reviewed',
  closed: 'Closed',
} as const

/** For the terminal. */
export function exposureDiffInWords(comparison: Comparison): string {
  return sections(
    comparison,
    (heading) => `${heading}\n`,
    ({ detail, ...group }) =>
      [`  ${sayOf(group, (word) => word)}`, ...detail.map((line) => `      ${line}`)].join('\n'),
  )
}

/** For a pull request. */
export function exposureDiffInMarkdown(comparison: Comparison): string {
  return sections(
    comparison,
    (heading) => `## ${heading}\n`,
    ({ detail, ...group }) =>
      [`- ${sayOf(group, code)}`, ...detail.map((line) => `  - ${code(line)}`)].join('\n'),
  )
}

function sections(
  comparison: Comparison,
  heading: (text: string) => string,
  item: (group: Group) => string,
): string {
  const said = (['opened', 'changed', 'closed'] as const).flatMap((direction) => {
    const groups = grouped(comparison[direction])
    return groups.length === 0
      ? []
      : [[heading(`${headings[direction]} (${groups.length})`), ...groups.map(item)].join('\n')]
  })
  const { not_compared } = comparison
  const left =
    not_compared.length === 0
      ? []
      : [`Not compared, because one map is without: ${not_compared.join(', ')}.`]
  return [
    ...(said.length === 0 ? ['Nobody reaches anything more or less than before.'] : said),
    ...left,
  ].join('\n\n')
}

/** `webuser, webadmin: select app.notes (title)` */
function sayOf(
  { what, roles, object, action, columns }: Omit<Group, 'detail'>,
  mark: (word: string) => string,
): string {
  const whose = roles.length === 0 ? '' : `${roles.map(mark).join(', ')}: `
  if (what === 'role') return `${whose}${action}`
  if (['row-level security', 'rule or trigger'].includes(what)) return `${mark(object)}: ${action}`
  const rows = what === 'rows' ? ', in other rows' : ''
  const named = columns.length === 0 ? '' : ` (${columns.map(mark).join(', ')})`
  return `${whose}${action} ${mark(object)}${named}${rows}`
}
