import type { Comparison } from '../exposure/diff/comparison.ts'
import { code } from './exposure-in-markdown.ts'
import { type Act, type ChangesOfObject, groupChanges } from './group-changes.ts'

const directions = {
  opened: { heading: 'Opened', rows: 'more rows' },
  changed: { heading: 'Changed, to be reviewed', rows: 'other rows' },
  closed: { heading: 'Closed', rows: 'fewer rows' },
  new: { heading: 'New, and opens nothing', rows: 'no rows' },
} as const
type Direction = keyof typeof directions

/** For the terminal. */
export function exposureDiffInWords(comparison: Comparison): string {
  return sections(
    comparison,
    (heading) => `${heading}\n`,
    (said, details) => [`  ${said}`, ...details.map((line) => `      ${line}`)].join('\n'),
    (word) => word,
  )
}

/** For a pull request. */
export function exposureDiffInMarkdown(comparison: Comparison): string {
  return sections(
    comparison,
    (heading) => `## ${heading}\n`,
    (said, details) => [`- ${said}`, ...details.map((line) => `  - ${code(line)}`)].join('\n'),
    code,
  )
}

type Mark = (word: string) => string

function sections(
  comparison: Comparison,
  heading: (text: string) => string,
  item: (said: string, details: string[]) => string,
  mark: Mark,
): string {
  const said = (Object.keys(directions) as Direction[]).flatMap((direction) => {
    const groups = groupChanges(comparison[direction])
    if (groups.length === 0) return []
    const items = groups.map((group) => item(sayOf(group, direction, mark), detailsOf(group)))
    return [[heading(`${directions[direction].heading} (${groups.length})`), ...items].join('\n')]
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

/** `webuser, webadmin: select app.notes (title); delete, more rows` */
function sayOf({ what, roles, object, acts }: ChangesOfObject, at: Direction, mark: Mark): string {
  const whose = roles.length === 0 ? '' : `${roles.map(mark).join(', ')}: `
  const all = acts.flatMap(({ actions }) => actions)
  if (what === 'role') return whose + all.map(({ action }) => action).join(', ')
  if (isOfObject(what)) return `${mark(object)}: ${all.map(({ action }) => action).join('; ')}`
  const alike = Map.groupBy(all, (act) => JSON.stringify([act.columns, act.isOfRows]))
  const said = [...alike.values()].map((some, place) => {
    const [{ columns, isOfRows }] = some as [Act]
    return [
      unique(some.map(({ action }) => action)).join(', '),
      place === 0 ? ` ${mark(object)}` : '',
      columns.length === 0 ? '' : ` (${columns.map(mark).join(', ')})`,
      isOfRows ? `, ${directions[at].rows}` : '',
    ].join('')
  })
  return whose + said.join('; ')
}

/** What is not to be said of all of its actions, with whose it is. */
function detailsOf({ acts }: ChangesOfObject): string[] {
  const of = new Map<string, string[]>()
  for (const { actions, detail } of acts)
    for (const line of detail)
      of.set(line, [...(of.get(line) ?? []), ...actions.map(({ action }) => action)])
  const all = unique(acts.flatMap(({ actions }) => actions.map(({ action }) => action)))
  return [...of].map(([line, actions]) => {
    const whose = unique(actions)
    return whose.length === all.length ? line : `${whose.join(', ')}: ${line}`
  })
}

/** What is said of an object, and of nobody. */
const isOfObject = (what: string): boolean =>
  ['row-level security', 'rule or trigger', 'view', 'body', 'relation'].includes(what)

const unique = (words: readonly string[]): string[] => [...new Set(words)]
