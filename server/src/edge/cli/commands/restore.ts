import { Command } from 'commander'
import { askSecret } from '../ask-secret.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function restoreCommand({ restore }: CommandContext): Command {
  return new Command('restore')
    .description(
      'Restore a backup where nothing is: a new DATA_DIR, or the empty database of DATABASE_URL. Needs its SECRET_KEY.',
    )
    .argument('<directory>', 'the backup')
    .option(...jsonOption)
    .action(async (directory: string, output: { json?: boolean }) => {
      const restored = await restore(directory, askForKey)
      const { kind, made_at, place, users, sessions, rolesMade, left } = restored
      print(
        { kind, made_at, users, sessions, roles_made: rolesMade, left },
        describe(restored, place),
        output,
      )
    })
}

const askForKey = () =>
  askSecret(
    'SECRET_KEY of the Pie that this backup is of (not shown): ',
    'SECRET_KEY is not in a backup. Set it to the one of the Pie that this backup is of, ' +
      'or put that into the file secret-key in DATA_DIR.',
  )

type Restored = Awaited<ReturnType<CommandContext['restore']>>

/** Those whose passwords Pie sets when it starts. */
const ownLogins = ['pie_auth', 'cream', 'webuser', 'webadmin']

function describe(restored: Restored, place: string): string {
  const { made_at, pie_version, users, sessions, rolesMade, left, keptKeyIn } = restored
  const others = rolesMade.filter((role) => !ownLogins.includes(role))
  const paragraphs = [
    `Restored the backup of ${made_at} (Pie ${pie_version}) to ${place}: ${count(users, 'user')}, ${count(sessions, 'live session')}.`,
    keptKeyIn !== null && `SECRET_KEY is kept in ${keptKeyIn}.`,
    others.length > 0 &&
      `Made the database roles ${others.join(', ')}, which have no passwords: set them where somebody logs in as one.`,
    left.length > 0 &&
      `This role may not do what follows. Do it as one that may:\n${left.map((line) => `  ${line}`).join('\n')}`,
    `What was changed after the backup is as it was before: passwords, users, roles. Sessions that have been ended since
live again. End them before others can come by:
  pie session list
  pie session revoke ada@example.com
or those of everybody: pie session revoke --all`,
    'Set SECRET_KEY for every command and for the start, if it is not in .env: it is not in the backup.',
    'Then:\n  pie doctor\n  pie start',
  ]
  return paragraphs.filter((paragraph) => paragraph !== false).join('\n\n')
}

const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : 's'}`
