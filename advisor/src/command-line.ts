/** The entry of `advisor`: `npx @pie/advisor lint postgres://…`, on any PostgreSQL. */
import { Command, CommanderError } from 'commander'
import pg from 'pg'
import type { Advised } from './cli/advised.ts'
import { explainCommand } from './cli/commands/explain.ts'
import { exposureCommand } from './cli/commands/exposure.ts'
import { lintCommand } from './cli/commands/lint.ts'
import { withoutPasswords } from './cli/without-passwords.ts'
import { onDatabaseAt } from './database/connect.ts'
import { AdvisorError } from './errors.ts'
import { noNames } from './names.ts'
import { ownPackage } from './own-package.ts'

const advised: Advised = {
  program: 'advisor',
  address: { flags: '[address]', description: 'postgres://… (default: DATABASE_URL)' },
  onDatabase,
  names: noNames,
}

/** Runs `advisor` with the arguments of this process. Sets the exit code. */
export async function runCommandLine(): Promise<void> {
  const program = new Command('advisor')
    .description(
      'Says who can reach what in a PostgreSQL database, why, and what is wrong with it.',
    )
    .version(ownPackage.version)
    .showHelpAfterError('(advisor --help shows what there is)')
    .addHelpText('after', examples)
    .addCommand(lintCommand(advised))
    .addCommand(exposureCommand(advised))
    .addCommand(explainCommand(advised))
  for (const each of [program, ...program.commands])
    each
      // What was not understood is not 1, which says that something was found.
      .exitOverride()
      .configureOutput({ writeErr: (text) => process.stderr.write(withoutPasswords(text)) })
  program.hook('preAction', (_, asked) => {
    command = asked.name()
  })
  goOnUnread()
  try {
    await program.parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    const isKnown = error instanceof AdvisorError || error instanceof pg.DatabaseError
    process.stderr.write(
      withoutPasswords(`advisor: ${isKnown ? error.message : describeFailure(error)}\n`),
    )
    process.exitCode = 2
  }
}

const examples = `
Nothing is changed: lint and exposure read, and what explain tries is rolled back.

Examples:
  advisor lint postgres://postgres:secret@localhost/shop --schema public
  advisor lint postgres://… --fail-on leak --sarif --output lint.sarif
  advisor exposure postgres://… --role anon authenticated
  advisor explain postgres://… --role app_user --setting app.user_id=7 --table public.notes --row 12
  advisor explain postgres://… --role authenticated --table public.notes \\
    --setting 'request.jwt.claims={"sub":"<id of the user>","role":"authenticated"}'   (Supabase, PostgREST)

Of TLS an address says what it says to psql: sslmode=require encrypts, sslmode=verify-full also asks
whose certificate it is, sslrootcert=/path/to/ca.pem names who may have signed it.

The guides come with the package, in docs/guides: lint.md has every rule, exposure-and-explain.md the
other two, advisor-in-your-build.md an action for GitHub and more.`

/** Who reads may stop, as `head` does: how it ends is still to be said. */
function goOnUnread(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const describeFailure = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** The command that is run, as the message about a missing address names it. */
let command = 'lint'

async function onDatabase<T>(
  given: string | undefined,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const address = given ?? process.env['DATABASE_URL']
  if (address === undefined || address === '')
    throw new AdvisorError(
      `Which database? Give its address: advisor ${command} postgres://user:password@host/database`,
    )
  return onDatabaseAt(address, work)
}
