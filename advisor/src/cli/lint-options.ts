import { relative, sep } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { AdvisorError } from '../errors.ts'
import { type Weight, weights } from '../lint/weight.ts'
import type { Names } from '../names.ts'
import type { PresetChoice } from '../presets/take-names.ts'
import { type NamesAndAddress, readNamesAndAddress } from './names-and-address.ts'
import { presetOption } from './preset-option.ts'

/** `words` is for people. */
const formats = ['json', 'sarif', 'markdown', 'mends'] as const
export type LintFormat = 'words' | (typeof formats)[number]

/** What `lint` was asked, once it makes sense. */
export interface LintRequest extends NamesAndAddress {
  /** Settings that only the server in front sets, as whoever runs it says. */
  trustedSettings: string[]
  preset: PresetChoice
  accepted: string | null
  /** The lightest that is looked for. */
  least: Weight
  /** The lightest that makes it end with 1. */
  failOn: Weight | 'never'
  format: LintFormat
  /** Where the report goes; null for standard output. */
  output: string | null
  /** The file of the repository that SARIF says findings are in. */
  sarifFile: string
  /** Long groups are not cut. */
  all: boolean
  /** A report that was saved, to be shown instead of looking at a database. */
  from: string | null
}

interface Given extends Partial<Record<(typeof formats)[number], boolean>> {
  trustSetting?: string[]
  preset: PresetChoice
  accepted?: string
  style?: boolean
  failOn: Weight | 'never'
  output?: string
  sarifFile?: string
  all?: boolean
  from?: string
}

/** Adds to a command what can be asked of lint. */
export function lintOptions(
  command: Command,
  { requestRoles }: Pick<Names, 'requestRoles'>,
): Command {
  command
    .option(
      '--schema <names...>',
      'look at these schemas (default: all but those of Postgres, of extensions and of a preset)',
    )
    .addOption(presetOption())
    .option(
      '--trust-setting <name>',
      'a setting that says who asks, and that nobody but the server in front can set: app.user_id, or app. for all below it; may be repeated',
      readSettingName,
    )
    .option('--accepted <file>', 'findings that you live with (default: pie-lint.json, if there)')
    .option('--style', 'look for what is only a matter of style, too')
    .addOption(
      new Option(
        '--fail-on <weight>',
        'end with 1 where a finding is of this weight or a graver one',
      )
        .choices([...weights, 'never'])
        .default('slow'),
    )
    .option('--json', 'print JSON, for programs')
    .option('--sarif', 'print SARIF 2.1.0, for code scanning')
    .option('--markdown', 'print Markdown, for a pull request')
    .option('--mends', 'print nothing but the SQL of all mends, in an order in which it can be run')
    .option('--output <file>', 'write it there instead of printing it')
    .option(
      '--sarif-file <path>',
      'the file of the repository that SARIF says findings are in (default: pie-lint.json)',
    )
    .option('--all', 'on a terminal, too, name every object of a long group')
    .option('--from <file>', 'show a report that --json has saved, and look at no database')
  // Where a tool knows its own, nobody can name others.
  if (requestRoles === null) command.option('--role <names...>', 'the roles that requests act as')
  return command
}

function readSettingName(name: string, others: string[] = []): string[] {
  if (!/^[a-z_][\w$]*(\.[a-z_][\w$]*)*\.?$/i.test(name) || !name.includes('.'))
    throw new InvalidArgumentError(
      'It takes the name of a setting with a dot in it: app.user_id, or app. for all below it.',
    )
  return [...others, name.toLowerCase()]
}

/** @throws AdvisorError for options that do not go together */
export function readLintOptions(command: Command): LintRequest {
  const given = command.opts<Given>()
  const asked = formats.filter((format) => given[format])
  if (asked.length > 1)
    throw new AdvisorError(
      `One output at a time: ${asked.map((format) => `--${format}`).join(' and ')} are two. ` +
        'Save one with --json --output report.json, and show it as another with --from report.json.',
    )
  const [format = 'words'] = asked
  if (given.sarifFile !== undefined && format !== 'sarif')
    throw new AdvisorError('--sarif-file is for --sarif.')
  const named = readNamesAndAddress(command)
  if (given.from !== undefined) checkAlone(command, named.address)
  return {
    ...named,
    trustedSettings: given.trustSetting ?? [],
    preset: given.preset,
    accepted: given.accepted ?? null,
    least: given.style || given.failOn === 'style' ? 'style' : 'slow',
    failOn: given.failOn,
    format,
    output: given.output ?? null,
    sarifFile: inRepository(given.sarifFile ?? 'pie-lint.json'),
    all: given.all ?? false,
    from: given.from ?? null,
  }
}

/** What is in a saved report was decided when it was made. */
function checkAlone(command: Command, address: string | undefined): void {
  if (address !== undefined)
    throw new AdvisorError('--from shows a saved report: it takes no address of a database.')
  const useless = ofLooking.find((name) => command.getOptionValueSource(name) === 'cli')
  if (useless === undefined) return
  const flag = command.options.find((option) => option.attributeName() === useless)?.long
  throw new AdvisorError(
    `${flag} is for looking at a database: a report --from a file is shown as it is.`,
  )
}

const ofLooking = ['schema', 'role', 'preset', 'accepted', 'style', 'trustSetting'] as const

/** @throws AdvisorError for a file elsewhere: code scanning knows only those of the repository */
function inRepository(file: string): string {
  const path = relative(process.cwd(), file).split(sep)
  if (path[0] === '..' || path[0] === '')
    throw new AdvisorError(
      `--sarif-file names a file below the directory that this is run in, and ${file} is none.`,
    )
  return path.join('/')
}
