import { Command } from 'commander'
import type { Secret } from '../../../ground/crypto/secret.ts'
import { withoutPassword } from '../../../ground/database/login-address.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function databaseCommand({ asOwner }: CommandContext): Command {
  return new Command('database')
    .description('Show how to connect to the database, for psql and dashboards.')
    .option('--passwords', 'with the passwords: whoever sees them has the database')
    .option(...jsonOption)
    .action(async ({ passwords = false, ...output }: { passwords?: boolean; json?: boolean }) => {
      const urls = await asOwner(({ urls }) => urls())
      const show = (url: Secret) => (passwords ? url.revealText() : withoutPassword(url))
      const shown = {
        owner: show(urls.owner),
        pie_auth: show(urls.auth[0]),
        cream: show(urls.requests[0]),
      }
      const lines = Object.entries(shown).map(([role, url]) => `${role.padEnd(9)}${url}`)
      print(
        shown,
        [
          ...lines,
          ...(passwords ? [] : ['', 'With their passwords: pie database --passwords']),
        ].join('\n'),
        output,
      )
    })
}
