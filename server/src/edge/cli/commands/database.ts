import { Command } from 'commander'
import { jsonOption, print } from '../print.ts'
import type { Workplace } from '../workplace.ts'

export function databaseCommand({ asOwner }: Workplace): Command {
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
