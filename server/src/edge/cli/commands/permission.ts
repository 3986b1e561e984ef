import { Command } from 'commander'
import { changePermissions } from '../../../features/accounts/change-permissions.ts'
import { createPermission } from '../../../features/accounts/create-permission.ts'
import { listPermissions } from '../../../features/accounts/list-permissions.ts'
import { columns } from '../columns.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print, shown } from '../print.ts'

export function permissionCommand(context: CommandContext): Command {
  return new Command('permission')
    .description('See and make permissions, and give them to roles.')
    .addCommand(listCommand(context))
    .addCommand(createCommand(context))
    .addCommand(changeCommand(context, 'grant'))
    .addCommand(changeCommand(context, 'revoke'))
}

function listCommand({ asOwner }: CommandContext): Command {
  return new Command('list')
    .description('List permissions, with the roles that have each.')
    .option(...jsonOption)
    .action(async (output: { json?: boolean }) => {
      const permissions = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return listPermissions(owner)
      })
      const lines = permissions.map(({ name, roles, description }) => [
        name,
        shown(roles.join(', ')),
        shown(description),
      ])
      print({ permissions }, columns([['permission', 'roles', 'description'], ...lines]), output)
    })
}

function createCommand({ asOwner }: CommandContext): Command {
  return new Command('create')
    .description('Make a permission. No role has it yet.')
    .argument('<name>', 'a subject and a verb, such as notes:write')
    .option('--description <sentence>', 'what it allows')
    .option(...jsonOption)
    .action(async (name: string, options: { description?: string; json?: boolean }) => {
      const { description = '', ...output } = options
      const made = await asOwner(
        async ({ owner, prepare }) => {
          await prepare()
          return createPermission(owner, { name, description })
        },
        { makesPie: true },
      )
      print(made, `Made the permission ${name}.`, output)
    })
}

const changes = {
  grant: {
    description: 'Give a role a permission, and so everybody who has the role.',
    done: (role: string, permission: string) => `The role ${role} has ${permission}.`,
  },
  revoke: {
    description: 'Take a permission from a role.',
    done: (role: string, permission: string) => `The role ${role} no longer has ${permission}.`,
  },
}

/** Only a permission has a colon, so the two may come in the other order. */
function changeCommand({ asOwner }: CommandContext, change: 'grant' | 'revoke'): Command {
  return new Command(change)
    .description(changes[change].description)
    .argument('<permission>', 'such as users:read')
    .argument('<role>', 'viewer, editor, admin, or a role of yours')
    .option(...jsonOption)
    .action(async (one: string, other: string, output: { json?: boolean }) => {
      const [permission, role] = one.includes(':') ? [one, other] : [other, one]
      const changed = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return changePermissions(owner, change, { permission, role })
      })
      print(changed, changes[change].done(role, permission), output)
    })
}
