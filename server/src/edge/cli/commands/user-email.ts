import { Command } from 'commander'
import { changeEmail } from '../../../features/accounts/change-email.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function userEmailCommand({ asOwner }: CommandContext): Command {
  return new Command('email')
    .description(
      'Give a user another address in place of the one that they have. It is not verified.',
    )
    .argument('<email>', "the user's address")
    .argument('<new email>', 'what they sign in with from now on')
    .option(...jsonOption)
    .action(async (given: string, newEmail: string, output: { json?: boolean }) => {
      const changed = await asOwner(async ({ owner, prepare }) => {
        await prepare()
        return changeEmail(owner, given, newEmail)
      })
      const { old_email, email } = changed
      print(changed, `${old_email ?? given} is ${email} now, which is not verified.`, output)
    })
}
