import { Command } from 'commander'
import { findPending, readMigrations } from '../../../ground/database/migrate.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function migrateCommand({ asOwner }: CommandContext): Command {
  return new Command('migrate')
    .description('Bring the database up to date. A starting Pie does the same by itself.')
    .option('--plan', 'only show what would run')
    .option(...jsonOption)
    .action(async ({ plan = false, ...output }: { plan?: boolean; json?: boolean }) => {
      await asOwner(async ({ owner, prepare }) => {
        if (plan) {
          const pending = (await findPending(owner, await readMigrations())).map(({ name }) => name)
          print({ pending }, sentence('Would run', pending), output)
        } else {
          const ran = await prepare()
          print({ ran }, sentence('Ran', ran), output)
        }
      })
    })
}

function sentence(verb: string, names: string[]): string {
  if (names.length === 0) return 'The database is up to date.'
  return [`${verb}:`, ...names.map((name) => `  ${name}`)].join('\n')
}
