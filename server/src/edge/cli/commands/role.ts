import { Command } from 'commander'
import { createRole } from '../../../features/accounts/create-role.ts'
import { listRoles } from '../../../features/accounts/list-roles.ts'
import { columns } from '../columns.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print, shown } from '../print.ts'
import { roleChangeCommand } from './role-change.ts'

export function roleCommand(context: CommandContext): Command {
  return new Command('role')
    .description('See and make roles, and give them to users.')
    .addCommand(listCommand(context))
    .addCommand(createCommand(context))
    .addCommand(roleChangeCommand(context, 'grant', ['role', 'email']))
    .addCommand(roleChangeCommand(context, 'revoke', ['role', 'email']))
}

function listCommand({ asOwner }: CommandContext): Command {
  return new Command('list')
    .description('List roles, with what each may do and how many users have it.')
    .option(...jsonOption)
    .action(async (output: { json?: boolean }) => {
      const roles = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return listRoles(owner)
      })
      const lines = roles.map(({ name, users, permissions, description }) => [
        name,
        String(users),
        shown(permissions.join(', ')),
        shown(description),
      ])
      print({ roles }, columns([['role', 'users', 'permissions', 'description'], ...lines]), output)
    })
}

function createCommand({ asOwner }: CommandContext): Command {
  return new Command('create')
    .description('Make a role. Nobody has it yet, and it may do nothing.')
    .argument('<name>', 'what it is called, such as support')
    .option('--description <sentence>', 'what it is for')
    .option(...jsonOption)
    .action(async (name: string, options: { description?: string; json?: boolean }) => {
      const { description = '', ...output } = options
      const made = await asOwner(
        async ({ owner, prepare }) => {
          await prepare()
          return createRole(owner, { name, description })
        },
        { makesPie: true },
      )
      print(made, `Made the role ${name}.`, output)
    })
}
