import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import {
  type ApplicationMigrations,
  migrateApplication,
  pendingOfApplication,
  readApplicationMigrations,
} from '../../../ground/database/application-migrations.ts'
import { readApplied } from '../../../ground/database/applied-migrations.ts'
import { PATIENCE_TO_MIGRATE_MS } from '../../../ground/database/end-holders.ts'
import { inTurn } from '../../../ground/database/in-turn.ts'
import { findPending, readMigrations } from '../../../ground/database/migrate.ts'
import { redoMigrations } from '../../../ground/database/redo-migrations.ts'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext, OwnerContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

interface MigrateOptions {
  plan?: boolean
  application?: string
  name?: string
  redo?: string | true
  yes?: boolean
  json?: boolean
}

export function migrateCommand({ asOwner }: CommandContext): Command {
  return new Command('migrate')
    .description(
      "Bring the database up to date. A starting Pie that has the owner's address does the same by itself.",
    )
    .option('--plan', 'only show what would run')
    .option(
      '--application <directory>',
      "then run an application's own migrations too, as its plugin does",
    )
    .option('--name <name>', 'what that application is called, if not as its package.json says')
    .option(
      '--redo [application]',
      "drop what an application's migrations have made, and let them run again",
    )
    .option('--yes', 'with --redo: even where rows are lost')
    .option(...jsonOption)
    .action(async (options: MigrateOptions) => {
      const own =
        options.application === undefined
          ? null
          : await readApplicationMigrations(
              pathToFileURL(`${resolve(options.application)}/`),
              options.name ?? null,
            )
      await asOwner(
        (place) => {
          if (options.redo !== undefined) return redo(place, options)
          return options.plan === true ? plan(place, own, options) : migrate(place, own, options)
        },
        { makesPie: true, patienceMs: PATIENCE_TO_MIGRATE_MS },
      )
    })
}

async function plan(
  { owner }: OwnerContext,
  own: ApplicationMigrations | null,
  output: MigrateOptions,
) {
  const pending = await findPending(owner, await readMigrations())
  if (own !== null) pending.push(...pendingOfApplication(own, await readApplied(owner)))
  const names = pending.map(({ name }) => name)
  print({ pending: names }, sentence('Would run', names), output)
}

async function migrate(
  place: OwnerContext,
  own: ApplicationMigrations | null,
  output: MigrateOptions,
) {
  const ran = await place.migrate()
  if (own !== null)
    ran.push(...(await inTurn(place.owner, () => migrateApplication(place.owner, own))))
  print({ ran }, sentence('Ran', ran), output)
}

async function redo(
  { owner, isEmbedded, isProduction }: OwnerContext,
  { redo, yes = false, ...output }: MigrateOptions,
) {
  if (isProduction && yes)
    throw new OperatorError(
      'SERVICE_DOMAIN is https: nothing is dropped in production. Write a new migration for the change.',
    )
  const application = typeof redo === 'string' ? redo : null
  const { dropped, forgotten, ...redone } = await inTurn(owner, () =>
    redoMigrations(owner, application, yes || isEmbedded),
  )
  print(
    { ...redone, dropped, forgotten },
    [
      ...(dropped.length === 0 ? [] : ['Dropped:', ...dropped.map((object) => `  ${object}`)]),
      `The migrations of ${redone.application} run again at the next start.`,
    ].join('\n'),
    output,
  )
}

function sentence(verb: string, names: string[]): string {
  if (names.length === 0) return 'The database is up to date.'
  return [`${verb}:`, ...names.map((name) => `  ${name}`)].join('\n')
}
