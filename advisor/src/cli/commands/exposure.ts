import { Command } from 'commander'
import { readExposure } from '../../exposure/read-exposure.ts'
import type { PresetChoice } from '../../presets/take-names.ts'
import { type Advised, jsonOption, print } from '../advised.ts'
import { exposureInMarkdown } from '../exposure-in-markdown.ts'
import { exposureInWords } from '../exposure-in-words.ts'
import { namesByPreset, presetOption } from '../preset-option.ts'
import { showProgress } from '../show-progress.ts'

interface ExposureOptions {
  schema?: string[]
  role?: string[]
  preset: PresetChoice
  markdown?: boolean
  json?: boolean
}

export function exposureCommand(advised: Advised): Command {
  const { program, address, onDatabase, alsoFound } = advised
  const usual =
    advised.names.shownRoles?.join(', ') ??
    'those of the preset, or that log in without owning anything'
  const command = new Command('exposure')
    .description('Show what each database role can select, insert, update, delete and execute.')
    .option('--schema <names...>', "schemas to show; without it, all but Postgres' own")
    .option('--role <names...>', `database roles to show; without it, ${usual}`)
    .addOption(presetOption())
    .option('--markdown', 'print Markdown, to be committed and reviewed')
    .option(...jsonOption)
  if (address !== undefined) command.argument(address.flags, address.description)
  return command.action(async () => {
    const { schema, role, markdown, preset, ...output } = command.opts<ExposureOptions>()
    const progress = showProgress('Reading')
    const { exposure, beware, names } = await onDatabase(command.args[0], async (client) => {
      const { names } = await namesByPreset(advised, client, preset, null)
      const { shownRoles, othersSchemas } = names
      const question = { schemas: schema ?? null, roles: role ?? shownRoles, othersSchemas }
      const exposure = await readExposure(client, question)
      return { exposure, beware: (await alsoFound?.(client)) ?? [], names }
    }).finally(progress.end)
    const shown = markdown
      ? exposureInMarkdown(exposure, {
          command: `${program} exposure --markdown`,
          note: names.note,
        }).trimEnd()
      : exposureInWords(exposure)
    // First, because it makes much of the rest void.
    const warnings = beware.map(({ object, why }) => `BEWARE: ${object}: ${why}`)
    print(
      { ...exposure, ...(beware.length > 0 && { beware }) },
      [...warnings, ...(warnings.length > 0 ? [''] : []), shown].join('\n'),
      output,
    )
  })
}
