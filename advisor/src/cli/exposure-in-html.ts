import { createHash } from 'node:crypto'
import type { Access, ExposedFunction, ExposedRelation, Exposure } from '../exposure/exposure.ts'
import { isUnknownToApi } from '../exposure/privileges.ts'
import {
  describeDefault,
  describeLargeObjects,
  describeParameter,
  describeReach,
  describeTurns,
} from './exposure-besides-tables.ts'
import {
  describeKind,
  describeRefused,
  describeRole,
  describeRows,
  describeSchema,
  nameOf,
} from './exposure-in-words.ts'
import { printableExposure } from './exposure-printable.ts'
import { html, Markup, none } from './html/markup.ts'
import { type ReachClass, reachOf, signs } from './html/reach-of.ts'
import { script, style } from './html/style.ts'

export interface HtmlPage {
  /** The command that prints it. */
  command: string
  /** What makes much of it void, said first. */
  warnings: readonly string[]
  /** What a reader has to know of these policies; null for nothing. */
  note: string | null
  /** Whether an API server makes the statements, which knows no truncate. */
  isOfApi: boolean
}

const hash = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('base64')}`

/** A map as one page that needs nothing else: what each role can do, roles across and objects down. */
export function exposureInHtml(
  given: Exposure,
  { command, warnings, note, isOfApi }: HtmlPage,
): string {
  const exposure = printableExposure(given)
  const policy = `default-src 'none'; style-src '${hash(style)}'; script-src '${hash(script)}'; base-uri 'none'; form-action 'none'`
  const { text } = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>What each database role can do</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
<h1>What each database role can do</h1>
<p class="faint">Printed from the catalog by <code>${command}</code>. What is not shown is refused.</p>
${warnings.map((warning) => html`<p class="beware">${proseOf(warning)}</p>`)}
${note === null ? none : html`<p>${proseOf(note)}</p>`}
${legend(isOfApi)}
${filter}
${tables(exposure, isOfApi)}
${functions(exposure)}
${sequences(exposure)}
${listed(
  'Roles',
  exposure.roles.map((role) => html`<li><code>${role.name}</code> ${describeRole(role)}</li>`),
)}
${listed(
  'Schemas',
  exposure.schemas.map(
    (schema) => html`<li><code>${schema.name}</code> ${describeSchema(schema)}</li>`,
  ),
)}
${listed('Large objects', lines(exposure.large_objects.flatMap(describeLargeObjects)))}
${listed('Settings of the server', lines(exposure.parameters.flatMap(describeParameter)))}
${listed('On what is made later', lines(exposure.default_privileges.flatMap(describeDefault)))}
${listed('Not seen', lines(exposure.unseen))}
</main>
<script>${new Markup(script)}</script>
</body>
</html>`
  return `<!doctype html>\n${text}`
}

const meanings: Record<ReachClass, string> = {
  all: 'all rows, or no condition',
  some: 'rows that policies let through',
  no: 'no rows',
  quiet: 'granted, and no statement of the API server comes to it',
  void: 'granted, and refused by Postgres',
}

const chip = (reach: ReachClass, says: string): Markup =>
  html`<span class="chip ${reach}"><span aria-hidden="true">${signs[reach]}</span>${says}</span>`

const legend = (
  isOfApi: boolean,
): Markup => html`<ul class="legend">${(Object.keys(meanings) as ReachClass[]).filter((reach) => isOfApi || reach !== 'quiet').map((reach) => html`<li>${chip(reach, meanings[reach])}</li>`)}</ul>
<p class="faint">A click on what a role can do shows the columns, the policies and the reasons.</p>`

const filter = html`<div class="bar" hidden><input type="search" placeholder="Filter by name" aria-label="Filter by name">
<label><input type="checkbox"> only where somebody reaches all rows</label> <output class="faint"></output></div>`

/** Words in which names stand between backticks. */
const proseOf = (text: string): Markup[] =>
  text
    .split('`')
    .map((part, place) => (place % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))

const lines = (said: readonly string[]): Markup[] =>
  said.map((line) => html`<li><code>${line}</code></li>`)

const listed = (heading: string, items: readonly Markup[]): Markup =>
  items.length === 0 ? none : html`<h2>${heading}</h2><ul class="plain">${items}</ul>`

interface Row {
  name: string
  small: Markup
  cells: ReadonlyMap<string, Markup>
  /** Whether somebody reaches all rows by it. */
  isOpen: boolean
}

/** Roles across, but for those that can do nothing in any row. */
function table(
  heading: string,
  what: string,
  { roles }: Exposure,
  rows: readonly Row[],
  note = none,
): Markup {
  if (rows.length === 0) return none
  const isThere = ({ name }: { name: string }) => rows.some(({ cells }) => cells.has(name))
  const across = roles.filter(isThere).map(({ name }) => name)
  const without = roles.filter((role) => !isThere(role)).map(({ name }) => name)
  return html`<h2>${heading}</h2>${note}${
    without.length === 0
      ? none
      : html`<p class="faint"><code>${without.join(', ')}</code> can do nothing with any of these.</p>`
  }
<div class="scroll ${across.length > 8 ? 'many' : 'few'}" tabindex="0" role="region" aria-label="${heading}"><table>
<thead><tr><th scope="col">${what}</th>${across.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows.map((one) => rowOf(one, across))}
</tbody></table></div>`
}

function rowOf({ name, small, cells, isOpen }: Row, across: readonly string[]): Markup {
  return html`<tr data-names="${name.toLowerCase()}"${isOpen ? new Markup(' data-open') : none}><th scope="row">${name}${small}</th>${across.map((role) => html`<td data-role="${role}">${cells.get(role) ?? none}</td>`)}</tr>
`
}

function tables(exposure: Exposure, isOfApi: boolean): Markup {
  const classOf = (access: Access): ReachClass =>
    isOfApi && isUnknownToApi(access.action) ? 'quiet' : reachOf(access)
  const rows = exposure.relations.map((given): Row => {
    const relation = isOfApi ? { ...given, rights: [] } : given
    const turns = describeTurns(relation)
    const small = html`<small${relation.row_security === 'off' ? new Markup(' class="loud"') : none}>${describeKind(relation)}</small>${
      turns.length === 0
        ? none
        : html`<details><summary>besides</summary><ul class="plain">${lines(turns)}</ul></details>`
    }`
    const by = Map.groupBy(relation.access, ({ role }) => role)
    return {
      ...{ name: nameOf(relation), small },
      cells: new Map(
        [...by].map(([role, access]) => [role, cellOf(relation, access, classOf)] as const),
      ),
      isOpen: relation.access.some((access) => classOf(access) === 'all'),
    }
  })
  return table('Tables and views', 'Table', exposure, rows)
}

function cellOf(
  relation: ExposedRelation,
  access: readonly Access[],
  classOf: (access: Access) => ReachClass,
): Markup {
  const said = access.map((one) => {
    const { action, columns } = one
    const ofAll = columns.length === relation.columns.length
    const which =
      columns.length === 0
        ? none
        : html` <span class="faint">${ofAll ? 'all columns' : columns.join(', ')}</span>`
    return html`<dt>${action}${which}</dt><dd>${[...describeRefused(one), ...(one.allowed ? describeRows(one.rows) : [])].map((line) => html`<code>${line}</code>`)}</dd>`
  })
  return html`<details><summary>${access.map((one) => chip(classOf(one), one.action))}</summary><dl>${said}</dl></details>`
}

function functions(exposure: Exposure): Markup {
  const shown = exposure.functions.filter(({ executable_by }) => executable_by.length > 0)
  const rows = shown.map((one): Row => {
    const reach = describeReach(one)
    const small = html`<small>security ${one.security}${one.returns === null ? '' : `, returns ${one.returns}`}</small>${
      reach.length === 0
        ? none
        : html`<details><summary>what it reaches</summary><ul class="plain">${lines(reach)}</ul></details>`
    }`
    const reaches = reachOfFunction(one)
    return {
      ...{ name: `${one.schema}.${one.signature}`, small },
      cells: new Map(one.executable_by.map((role) => [role, chip(reaches, 'execute')] as const)),
      isOpen: reaches === 'all',
    }
  })
  return table('Functions', 'Function', exposure, rows, functionNote)
}

const functionNote = html`<p class="faint">${chip('all', 'with rights that no policy binds, or it executes text')}
${chip('some', "with its owner's rights")} ${chip('no', "with the caller's own")}</p>`

const reachOfFunction = ({ reach }: ExposedFunction): ReachClass => {
  if (reach === null) return 'no'
  return reach.past_row_security !== null || reach.executes_text ? 'all' : 'some'
}

function sequences(exposure: Exposure): Markup {
  const rows = exposure.sequences
    .filter(({ access }) => access.length > 0)
    .map(
      (sequence): Row => ({
        name: nameOf(sequence),
        small: sequence.of === null ? none : html`<small>of ${sequence.of}</small>`,
        cells: new Map(
          sequence.access.map(({ role, actions, only_by_number }) => [
            role,
            html`${actions.map((action) => chip(action === 'setval' ? 'all' : 'some', action))}${only_by_number ? html`<small class="faint"> by its number</small>` : none}`,
          ]),
        ),
        // It has a number, and no rows of anybody.
        isOpen: false,
      }),
    )
  return table('Sequences', 'Sequence', exposure, rows)
}
