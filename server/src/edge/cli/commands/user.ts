import { Command } from 'commander'
import {
  changeUserState,
  type UserStateChange,
} from '../../../features/accounts/change-user-state.ts'
import { createUser } from '../../../features/sign-in/create-user.ts'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext } from '../command-context.ts'
import { makePassword, readPassword, sayPassword } from '../new-password.ts'
import { jsonOption, print } from '../print.ts'
import { roleChangeCommand } from './role-change.ts'
import { userEmailCommand } from './user-email.ts'
import { userListCommand } from './user-list.ts'
import { userPasswordCommand } from './user-password.ts'
import { userShowCommand } from './user-show.ts'

export function userCommand(context: CommandContext): Command {
  return new Command('user')
    .description('Find and make users, change what is theirs, disable and delete them.')
    .addCommand(userListCommand(context))
    .addCommand(userShowCommand(context))
    .addCommand(createCommand(context))
    .addCommand(userPasswordCommand(context))
    .addCommand(userEmailCommand(context))
    .addCommand(roleChangeCommand(context, 'grant', ['email', 'role']))
    .addCommand(roleChangeCommand(context, 'revoke', ['email', 'role']))
    .addCommand(stateCommand(context, 'disable'))
    .addCommand(stateCommand(context, 'enable'))
    .addCommand(stateCommand(context, 'delete'))
}

interface CreateOptions {
  name?: string
  admin?: boolean
  passwordStdin?: boolean
  json?: boolean
}

function createCommand({ asOwner }: CommandContext): Command {
  return new Command('create')
    .description(
      'Make a user, with the role viewer. Without --password-stdin, a password is made and shown once.',
    )
    .argument('<email>', 'the address that the user signs in with')
    .option('--name <name>', 'what the user is called')
    .option('--admin', 'give the role admin too')
    .option('--password-stdin', 'read the password from standard input')
    .option(...jsonOption)
    .action(
      async (email: string, { name = '', admin, passwordStdin, ...output }: CreateOptions) => {
        const given = await readPassword(passwordStdin === true)
        const roles = admin === true ? ['admin'] : []
        const { password, user } = await asOwner(
          async (place) => {
            await place.prepare()
            const password = given ?? makePassword(place)
            const toCreate = { email, password, name: name === '' ? null : name, roles }
            return { password, user: await createUser(place, place.owner, toCreate) }
          },
          { makesPie: true },
        )
        const shown = given === null ? { ...user, password } : user
        print(
          { ...shown, roles: [...roles, 'viewer'] },
          `Made the user ${user.email}${admin === true ? ', an admin' : ''}.` +
            (given === null ? `\n${sayPassword(password)}` : ''),
          output,
        )
      },
    )
}

const stateCommands: Record<UserStateChange, { description: string; done: string }> = {
  disable: {
    description: 'Keep a user out: end their sessions everywhere, and let them start no other.',
    done: 'is disabled, and signed out everywhere.',
  },
  enable: { description: 'Let a disabled user sign in again.', done: 'may sign in.' },
  delete: {
    description: 'Delete a user with all that is theirs. The audit log keeps its lines.',
    done: 'has been deleted.',
  },
}

function stateCommand({ asOwner }: CommandContext, change: UserStateChange): Command {
  const command = new Command(change)
    .description(stateCommands[change].description)
    .argument('<email>', "the user's address")
    .option(...jsonOption)
  if (change === 'delete') command.option('--yes', 'really delete; there is no way back')
  return command.action(async (email: string, output: { json?: boolean; yes?: boolean }) => {
    if (change === 'delete' && output.yes !== true)
      throw new OperatorError(
        `This deletes ${email} for good. To keep them out instead: pie user disable. To go on, add --yes.`,
      )
    const changed = await asOwner(async ({ owner, prepare }) => {
      await prepare()
      return changeUserState(owner, change, email)
    })
    print(changed, `${changed.email} ${stateCommands[change].done}`, output)
  })
}
