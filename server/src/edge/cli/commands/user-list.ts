import { Command } from 'commander'
import { type ListedUser, listUsers } from '../../../features/accounts/list-users.ts'
import { columns } from '../columns.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print, shown, shownTime } from '../print.ts'

/** More than this, and a list is better made with SQL. */
const MOST_USERS = 200

interface ListOptions {
  role?: string
  disabled?: boolean
  json?: boolean
}

export function userListCommand({ asOwner }: CommandContext): Command {
  return new Command('list')
    .description(`List users, the newest first, ${MOST_USERS} at most.`)
    .argument('[text]', 'only those with this in an address or in their name')
    .option('--role <role>', 'only those who have this role')
    .option('--disabled', 'only those who are disabled')
    .option(...jsonOption)
    .action(async (text: string | undefined, options: ListOptions) => {
      const { role = null, disabled: isDisabled = false, ...output } = options
      const found = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return listUsers(owner, { text: text ?? null, role, isDisabled, most: MOST_USERS })
      })
      print(found, lines(found), output)
    })
}

const headings = ['email', 'id', 'name', 'roles', 'state', 'created (UTC)', 'last seen (UTC)']

function lines({ users, total }: { users: ListedUser[]; total: number }): string {
  if (users.length === 0) return 'There is no such user.'
  const list = columns([headings, ...users.map(cells)])
  return total > users.length ? `${list}\nThese are the newest ${users.length} of ${total}.` : list
}

function cells({ email, id, name, roles, state, created_at, last_seen_at }: ListedUser): string[] {
  const times = [shownTime(created_at), shownTime(last_seen_at)]
  return [shown(email), id, shown(name), shown(roles.join(', ')), state, ...times]
}
