import { Command } from 'commander'
import { cacheCommand } from './commands/cache.ts'
import { databaseCommand } from './commands/database.ts'
import { explainCommand } from './commands/explain.ts'
import { exposureCommand } from './commands/exposure.ts'
import { keyCommand } from './commands/key.ts'
import { lintCommand } from './commands/lint.ts'
import { migrateCommand } from './commands/migrate.ts'
import { secretCommand } from './commands/secret.ts'
import { sessionCommand } from './commands/session.ts'
import { startCommand } from './commands/start.ts'
import { userCommand } from './commands/user.ts'
import type { Workplace } from './workplace.ts'

/** The command line: `pie …`. */
export function createProgram(workplace: Workplace): Command {
  return new Command('pie')
    .description('Authentication and authorization for applications on PostgreSQL.')
    .version(workplace.version)
    .showHelpAfterError('(pie --help shows what there is)')
    .addHelpText(
      'after',
      `
Settings come from the environment and from .env; docs/configuration.md lists them.
With none set, Pie keeps everything in .pie, with a Postgres of its own.

Examples:
  pie start
  pie user create ada@example.com --admin
  pie user grant grace@example.com editor
  pie session list grace@example.com
  pie session revoke grace@example.com
  pie migrate --plan
  pie lint --schema app`,
    )
    .addCommand(startCommand(workplace))
    .addCommand(migrateCommand(workplace))
    .addCommand(userCommand(workplace))
    .addCommand(sessionCommand(workplace))
    .addCommand(cacheCommand(workplace))
    .addCommand(secretCommand(workplace))
    .addCommand(keyCommand(workplace))
    .addCommand(databaseCommand(workplace))
    .addCommand(lintCommand(workplace))
    .addCommand(exposureCommand(workplace))
    .addCommand(explainCommand(workplace))
}
