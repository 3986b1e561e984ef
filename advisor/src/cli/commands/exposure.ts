import { Command } from 'commander'
import type pg from 'pg'
import { onDatabaseAt } from '../../database/connect.ts'
import { AdvisorError } from '../../errors.ts'
import { compareExposures } from '../../exposure/diff/compare-exposures.ts'
import { readSavedExposure } from '../../exposure/diff/read-saved-exposure.ts'
import { type Exposure, everybody } from '../../exposure/exposure.ts'
import { isUnknownToApi } from '../../exposure/privileges.ts'
import { type ExposureOptions, readExposure } from '../../exposure/read-exposure.ts'
import type { Finding } from '../../lint/finding.ts'
import { isSqlOfAnApi } from '../../lint/rights/sql-of-an-api.ts'
import type { PresetChoice } from '../../presets/take-names.ts'
import { type Advised, jsonOption } from '../advised.ts'
import { exposureDiffInMarkdown, exposureDiffInWords } from '../exposure-diff-in-words.ts'
import { exposureInHtml } from '../exposure-in-html.ts'
import { exposureInMarkdown } from '../exposure-in-markdown.ts'
import { describeRefused, describeRows, exposureInWords } from '../exposure-in-words.ts'
import { keepMemorySmallest } from '../keep-memory-small.ts'
import { type NamesAndAddress, readNamesAndAddress } from '../names-and-address.ts'
import { namesByPreset, presetOption } from '../preset-option.ts'
import { showProgress } from '../show-progress.ts'
import { writeReport } from '../write-report.ts'

interface Given {
  preset: PresetChoice
  diff?: string
  output?: string
  markdown?: boolean
  html?: boolean
  json?: boolean
}

type Options = Given & Pick<NamesAndAddress, 'schemas' | 'roles'>

export function exposureCommand(advised: Advised): Command {
  const { address, names, program } = advised
  const usual = names.shownRoles?.join(', ') ?? 'those that log in without owning anything'
  const command = new Command('exposure')
    .description(
      'Show what each database role can read, write and execute, and what goes round it.',
    )
    .option('--schema <names...>', "schemas to show; without it, all but Postgres' own")
    .option('--role <names...>', `database roles to show; without it, ${usual}`)
    .addOption(presetOption())
    .option(
      '--diff <file>',
      'what has opened since a map that --json saved, or since postgres://…; ends with 1 if anything has',
    )
    .option('--output <file>', 'write to a file instead of standard output')
    .option('--markdown', 'print Markdown, to be committed and reviewed')
    .option('--html', 'print one HTML page, to be looked at')
    .option(...jsonOption)
    .addHelpText(
      'after',
      help(`${program} exposure${address === undefined ? '' : ' postgres://…'}`),
    )
  if (address !== undefined) command.argument(address.flags, address.description)
  return command.action(async () => {
    const { schemas, roles, address } = readNamesAndAddress(command)
    const options = { ...command.opts<Given>(), schemas, roles }
    const { json = false, markdown = false, html = false } = options
    if ([json, markdown, html].filter((form) => form).length > 1)
      throw new AdvisorError('One form at a time: --json, --markdown or --html.')
    if (html && options.diff !== undefined)
      throw new AdvisorError('What has changed has no page: --diff with --markdown or --json.')
    keepMemorySmallest()
    await (options.diff === undefined
      ? show(advised, address, options)
      : compare(advised, address, options, options.diff))
  })
}

const help = (command: string): string => `
Reads the catalog and changes nothing; any role that may connect will do.

Examples:
  ${command} --schema app --role app_user PUBLIC
  ${command} --html --output exposure.html
  ${command} --json --output before.json
  ${command} --diff before.json --markdown`

async function show(advised: Advised, address: string | undefined, options: Options) {
  const [exposure, beware, known] = await onDatabase(
    advised,
    address,
    options,
    async (client, asked, known) => [
      await readExposure(client, asked),
      (await advised.alsoFound?.(client)) ?? [],
      known,
    ],
  )
  await writeReport(
    inForm(exposure, beware, known, advised.program, options),
    options.output ?? null,
  )
}

/** What the names that a database goes by say of a map. */
interface Known {
  note: string | null
  /** Whether an API server makes the statements, which knows no truncate. */
  isOfApi: boolean
}

function inForm(
  exposure: Exposure,
  beware: readonly Finding[],
  { note, isOfApi }: Known,
  program: string,
  { json, markdown, html }: Options,
): string {
  if (json) return JSON.stringify({ ...exposure, ...(beware.length > 0 && { beware }) })
  // First, because it makes much of the rest void.
  const warnings = beware.map(({ object, why }) => `BEWARE: ${object}: ${why}`)
  if (html)
    return exposureInHtml(exposure, {
      ...{ warnings, note, isOfApi },
      command: `${program} exposure --html`,
    })
  const shown = markdown
    ? exposureInMarkdown(exposure, {
        ...{ note, isOfApi },
        command: `${program} exposure --markdown`,
      }).trimEnd()
    : exposureInWords(exposure, { isOfApi })
  return [...warnings, ...(warnings.length > 0 ? [''] : []), shown].join('\n')
}

/** Of both sides the same is asked: what is named here, or else what the saved map was asked. */
async function compare(
  advised: Advised,
  address: string | undefined,
  options: Options,
  from: string,
) {
  const { json, markdown, output } = options
  const isDatabase = /^postgres(ql)?:/.test(from)
  const saved = isDatabase ? null : await readSavedExposure(from)
  const [before, after, isOfApi] = await onDatabase(
    advised,
    address,
    options,
    async (client, usual, known) => {
      const asked = {
        ...usual,
        schemas: options.schemas ?? saved?.asked.schemas ?? null,
        roles: options.roles ?? saved?.asked.roles ?? null,
      }
      // Whoever has become a superuser, or owns something now, is no longer among those that are shown.
      const also = (shown: Exposure) => ({
        ...asked,
        alsoRoles: asked.roles === null ? shown.roles.map(({ name }) => name) : [],
      })
      if (saved !== null)
        return [saved, await readExposure(client, also(saved), 'left out'), known.isOfApi]
      const now = await readExposure(client, asked, 'left out')
      const then = await onDatabaseAt(from, (other) => readExposure(other, also(now), 'left out'))
      return [then, await readExposure(client, also(then), 'left out'), known.isOfApi]
    },
  )
  const comparison = compareExposures(
    before,
    after,
    (access) => [...describeRefused(access), ...describeRows(access.rows)],
    (privilege) => isOfApi && isUnknownToApi(privilege),
  )
  await writeReport(
    json
      ? JSON.stringify(comparison)
      : markdown
        ? exposureDiffInMarkdown(comparison)
        : exposureDiffInWords(comparison),
    output ?? null,
  )
  if (comparison.opened.length > 0 || comparison.changed.length > 0) process.exitCode = 1
}

async function onDatabase<T>(
  advised: Advised,
  address: string | undefined,
  { schemas, roles, preset }: Options,
  work: (client: pg.Client, asked: ExposureOptions, known: Known) => Promise<T>,
): Promise<T> {
  const progress = showProgress('Reading')
  try {
    return await advised.onDatabase(address, async (client) => {
      const { names } = await namesByPreset(advised, client, preset, null)
      const requested = names.requestRoles === null ? null : [...names.requestRoles, everybody]
      const usualRoles = names.shownRoles ?? requested
      const { othersSchemas, note } = names
      const asked = { schemas, roles, usualRoles, othersSchemas }
      return work(client, asked, { note, isOfApi: isSqlOfAnApi(names) })
    })
  } finally {
    progress.end()
  }
}
