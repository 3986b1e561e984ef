import { Command } from 'commander'
import { readExposure } from '../../exposure/read-exposure.ts'
import { type Advised, jsonOption, print } from '../advised.ts'
import { exposureInMarkdown } from '../exposure-in-markdown.ts'
import { exposureInWords } from '../exposure-in-words.ts'

interface ExposureOptions {
  schema?: string[]
  role?: string[]
  markdown?: boolean
  json?: boolean
}

export function exposureCommand({
  program,
  address,
  onDatabase,
  names,
  alsoFound,
}: Advised): Command {
  const usual = names.shownRoles?.join(', ') ?? 'those that log in without owning anything'
  const command = new Command('exposure')
    .description('Show what each database role can select, insert, update, delete and execute.')
    .option('--schema <names...>', "schemas to show; without it, all but Postgres' own")
    .option('--role <names...>', `database roles to show; without it, ${usual}`)
    .option('--markdown', 'print Markdown, to be committed and reviewed')
    .option(...jsonOption)
  if (address !== undefined) command.argument(address.flags, address.description)
  return command.action(async () => {
    const { schema, role, markdown, ...output } = command.opts<ExposureOptions>()
    const [exposure, beware] = await onDatabase(command.args[0], async (client) => [
      await readExposure(client, { schemas: schema ?? null, roles: role ?? names.shownRoles }),
      (await alsoFound?.(client)) ?? [],
    ])
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
