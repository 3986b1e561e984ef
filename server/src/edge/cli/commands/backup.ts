import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function backupCommand({ backUp }: CommandContext): Command {
  return new Command('backup')
    .description(
      'Write a backup of the database into a new directory, while Pie runs or not. SECRET_KEY is not in it.',
    )
    .argument('<directory>', 'where; it must not be there yet')
    .option(...jsonOption)
    .action(async (given: string, output: { json?: boolean }) => {
      const { directory, kind, place, secretKeyFile } = await backUp(given)
      const key = secretKeyFile === null ? '' : `, which is in ${secretKeyFile}`
      print(
        { directory, kind },
        `Backed up ${place}, to ${directory}.
Take it to another machine. It holds what the database holds; be as careful with it.

SECRET_KEY is not in it${key}. Keep a copy of that in another place:
without it, nobody can restore this backup.

To restore it where nothing is:
  SECRET_KEY=…${kind === 'dump' ? ' DATABASE_URL=…' : ''} pie restore ${directory}`,
        output,
      )
    })
}
