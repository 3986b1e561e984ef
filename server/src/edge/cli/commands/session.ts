import { Command } from 'commander'
import {
  listAllSessions,
  type OperatorsSession,
} from '../../../features/sessions/list-all-sessions.ts'
import { revokeAllSessions } from '../../../features/sessions/revoke-all-sessions.ts'
import { revokeSessions } from '../../../features/sessions/revoke-sessions.ts'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print, shownTime } from '../print.ts'

export function sessionCommand(context: CommandContext): Command {
  return new Command('session')
    .description('See who is signed in with what, and sign them out.')
    .addCommand(listCommand(context))
    .addCommand(revokeCommand(context))
}

/** More than this, and a list is better made with SQL. */
const MOST_SESSIONS = 200

function listCommand({ asOwner }: CommandContext): Command {
  return new Command('list')
    .description(`List sessions, the last used first, ${MOST_SESSIONS} at most.`)
    .argument('[email]', "only this user's")
    .option(...jsonOption)
    .action(async (email: string | undefined, output: { json?: boolean }) => {
      const sessions = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return listAllSessions(owner, { email: email ?? null, most: MOST_SESSIONS })
      })
      const lines = sessions.length === 0 ? 'Nobody is signed in.' : sessions.map(line).join('\n')
      print({ sessions }, lines, output)
    })
}

function line({ id, email, kind, device, address, last_seen_at }: OperatorsSession): string {
  return `${id}  ${shownTime(last_seen_at)}  ${kind.padEnd(7)}  ${email ?? '-'}  ${device}  ${address ?? '-'}`
}

function revokeCommand({ asOwner }: CommandContext): Command {
  return new Command('revoke')
    .description('End a session, or all of a user. Every node refuses them within milliseconds.')
    .argument('[session or email]', "a session's id, or a user's address for all of theirs")
    .option('--all', "instead of either, everybody's: as after a backup was restored")
    .option(...jsonOption)
    .action(
      async (
        subject: string | undefined,
        { all = false, ...output }: { all?: boolean; json?: boolean },
      ) => {
        if (all === (subject !== undefined))
          throw new OperatorError("Say which: a session's id, a user's address, or --all.")
        const ended = await asOwner(async ({ owner, prepare }) => {
          await prepare()
          return subject === undefined ? revokeAllSessions(owner) : revokeSessions(owner, subject)
        })
        print({ ended }, `Ended ${ended} ${ended === 1 ? 'session' : 'sessions'}.`, output)
      },
    )
}
