import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { changeRoles } from '../../../features/accounts/change-roles.ts'
import {
  changeUserState,
  type UserStateChange,
} from '../../../features/accounts/change-user-state.ts'
import { createUser } from '../../../features/sign-in/create-user.ts'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function userCommand(context: CommandContext): Command {
  return new Command('user')
    .description('Make users, give them roles, disable and delete them.')
    .addCommand(createCommand(context))
    .addCommand(roleCommand(context, 'grant'))
    .addCommand(roleCommand(context, 'revoke'))
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
        const given =
          passwordStdin === true ? (await text(process.stdin)).replace(/\r?\n$/, '') : null
        const password = given ?? randomBytes(15).toString('base64url')
        const roles = admin === true ? ['admin'] : []
        const user = await asOwner(async (place) => {
          await place.prepare()
          return createUser(place, place.owner, {
            email,
            password,
            name: name === '' ? null : name,
            roles,
          })
        })
        const shown = given === null ? { ...user, password } : user
        print(
          { ...shown, roles: [...roles, 'viewer'] },
          `Made the user ${user.email}${admin === true ? ', an admin' : ''}.` +
            (given === null ? `\nPassword: ${password}\nIt is shown this once.` : ''),
          output,
        )
      },
    )
}

const roleCommands = {
  grant: {
    description: 'Give a user a role.',
    done: (email: string, role: string) => `${email} has the role ${role}.`,
  },
  revoke: {
    description: 'Take a role from a user.',
    done: (email: string, role: string) => `${email} no longer has the role ${role}.`,
  },
}

function roleCommand({ asOwner }: CommandContext, change: 'grant' | 'revoke'): Command {
  return new Command(change)
    .description(roleCommands[change].description)
    .argument('<email>', "the user's address")
    .argument('<role>', 'viewer, editor, admin, or a role of yours')
    .option(...jsonOption)
    .action(async (email: string, role: string, output: { json?: boolean }) => {
      const changed = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return changeRoles(owner, change, { email, role })
      })
      print(changed, roleCommands[change].done(changed.email, role), output)
    })
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
