import { Command } from 'commander'
import { exposureCommand, lintCommand } from '../../../../advisor/src/index.ts'
import { advisedAsOwner, advisedOnPie } from './advised.ts'
import type { CommandContext } from './command-context.ts'
import { backupCommand } from './commands/backup.ts'
import { cacheCommand } from './commands/cache.ts'
import { databaseCommand } from './commands/database.ts'
import { doctorCommand } from './commands/doctor.ts'
import { explainCommand } from './commands/explain.ts'
import { graphqlCommand } from './commands/graphql.ts'
import { keyCommand } from './commands/key.ts'
import { migrateCommand } from './commands/migrate.ts'
import { permissionCommand } from './commands/permission.ts'
import { restoreCommand } from './commands/restore.ts'
import { roleCommand } from './commands/role.ts'
import { secretCommand } from './commands/secret.ts'
import { sessionCommand } from './commands/session.ts'
import { startCommand } from './commands/start.ts'
import { userCommand } from './commands/user.ts'

/** The command line: `pie …`. */
export function createProgram(context: CommandContext): Command {
  return new Command('pie')
    .description('Authentication and authorization for applications on PostgreSQL.')
    .version(context.version)
    .showHelpAfterError('(pie --help shows what there is)')
    .addHelpText(
      'after',
      `
Settings come from the environment and from .env; docs/configuration.md lists them.
With none set, Pie keeps everything in .pie, with a Postgres of its own.

Examples:
  pie start
  pie user create ada@example.com --admin
  pie user list grace
  pie user password grace@example.com
  pie role grant editor grace@example.com
  pie session list grace@example.com
  pie session revoke grace@example.com
  pie migrate --plan
  pie doctor
  pie backup /var/backups/pie-2026-11-21
  pie lint --schema app`,
    )
    .addCommand(startCommand(context))
    .addCommand(migrateCommand(context))
    .addCommand(userCommand(context))
    .addCommand(roleCommand(context))
    .addCommand(permissionCommand(context))
    .addCommand(sessionCommand(context))
    .addCommand(cacheCommand(context))
    .addCommand(secretCommand(context))
    .addCommand(keyCommand(context))
    .addCommand(databaseCommand(context))
    .addCommand(doctorCommand(context))
    .addCommand(graphqlCommand(context))
    .addCommand(backupCommand(context))
    .addCommand(restoreCommand(context))
    .addCommand(lintCommand(advisedAsOwner(context)))
    .addCommand(exposureCommand(advisedOnPie(context)))
    .addCommand(explainCommand(context))
}
