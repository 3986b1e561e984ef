import { Command } from 'commander'
import { type ShownUser, showUser } from '../../../features/operations/show-user.ts'
import { columns } from '../columns.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print, shown, shownTime } from '../print.ts'

export function userShowCommand({ asOwner }: CommandContext): Command {
  return new Command('show')
    .description('Show all that there is to know of a user.')
    .argument('<email or id>', 'an address of theirs, or their id')
    .option(...jsonOption)
    .action(async (subject: string, output: { json?: boolean }) => {
      const user = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return showUser(owner, subject)
      })
      print(user, lines(user), output)
    })
}

function lines(user: ShownUser): string {
  const since = user.disabled_at === null ? '' : ` since ${shownTime(user.disabled_at)} UTC`
  return columns([
    ...user.addresses.map(({ email, is_primary, is_verified }) => [
      is_primary ? 'email' : 'other email',
      `${email}, ${is_verified ? 'verified' : 'not verified'}`,
    ]),
    ['id', user.id],
    ['name', shown(user.name)],
    ['roles', shown(user.roles.join(', '))],
    ['permissions', shown(user.permissions.join(', '))],
    ['state', `${user.state}${since}`],
    ['created (UTC)', shownTime(user.created_at)],
    ['last seen', shownTime(user.last_seen_at)],
    ['last sign-in', shownTime(user.last_sign_in_at)],
    ['live sessions', String(user.live_sessions)],
  ])
}
