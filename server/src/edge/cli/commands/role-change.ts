import { Command } from 'commander'
import { changeRoles } from '../../../features/accounts/change-roles.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

const sentences = {
  grant: {
    description: 'Give a user a role.',
    done: (email: string, role: string) => `${email} has the role ${role}.`,
  },
  revoke: {
    description: 'Take a role from a user.',
    done: (email: string, role: string) => `${email} no longer has the role ${role}.`,
  },
}

const explanations = {
  email: "the user's address",
  role: 'viewer, editor, admin, or a role of yours',
}

/**
 * `pie user grant <email> <role>`, and `pie role grant <role> <email>`. Only an address has an @, so each takes the two in
 * the other order too.
 */
export function roleChangeCommand(
  { asOwner }: CommandContext,
  change: 'grant' | 'revoke',
  [first, second]: ['email', 'role'] | ['role', 'email'],
): Command {
  return new Command(change)
    .description(sentences[change].description)
    .argument(`<${first}>`, explanations[first])
    .argument(`<${second}>`, explanations[second])
    .option(...jsonOption)
    .action(async (one: string, other: string, output: { json?: boolean }) => {
      const [email, role] = one.includes('@') ? [one, other] : [other, one]
      const changed = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return changeRoles(owner, change, { email, role })
      })
      print(changed, sentences[change].done(changed.email, role), output)
    })
}
