import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function databaseCommand({ asOwner }: CommandContext): Command {
  return new Command('database')
    .description(
      'Show how to connect to the database, for psql and dashboards. The addresses hold passwords.',
    )
    .option(...jsonOption)
    .action(async (output: { json?: boolean }) => {
      const urls = await asOwner(async ({ prepare, urls }) => {
        await prepare()
        return urls()
      })
      const shown = {
        owner: urls.owner.revealText(),
        pie_auth: urls.auth[0].revealText(),
        cream: urls.requests[0].revealText(),
      }
      print(
        shown,
        Object.entries(shown)
          .map(([role, url]) => `${role.padEnd(9)}${url}`)
          .join('\n'),
        output,
      )
    })
}
