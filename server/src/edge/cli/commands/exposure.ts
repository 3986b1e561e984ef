import { Command } from 'commander'
import { defaultRoles, readExposure } from '../../../features/exposure/read-exposure.ts'
import { exposureInMarkdown } from '../exposure-in-markdown.ts'
import { exposureInWords } from '../exposure-in-words.ts'
import { jsonOption, print } from '../print.ts'
import type { Workplace } from '../workplace.ts'

interface ExposureOptions {
  schema?: string[]
  role?: string[]
  markdown?: boolean
  json?: boolean
}

export function exposureCommand({ asOwner }: Workplace): Command {
  return new Command('exposure')
    .description('Show what each database role can select, insert, update, delete and execute.')
    .option('--schema <names...>', "schemas to show; without it, all but Postgres' own")
    .option('--role <names...>', `database roles to show; without it, ${defaultRoles.join(', ')}`)
    .option('--markdown', 'print Markdown, to be committed and reviewed')
    .option(...jsonOption)
    .action(async ({ schema, role, markdown, ...output }: ExposureOptions) => {
      const exposure = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return readExposure(owner, { schemas: schema ?? null, roles: role ?? defaultRoles })
      })
      const shown = markdown ? exposureInMarkdown(exposure).trimEnd() : exposureInWords(exposure)
      print(exposure, shown, output)
    })
}
