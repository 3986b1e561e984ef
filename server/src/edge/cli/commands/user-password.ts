import { Command } from 'commander'
import { setPassword } from '../../../features/passwords/set-password.ts'
import type { CommandContext } from '../command-context.ts'
import { makePassword, readPassword, sayPassword } from '../new-password.ts'
import { jsonOption, print } from '../print.ts'

export function userPasswordCommand({ asOwner }: CommandContext): Command {
  return new Command('password')
    .description(
      'Set a new password, and sign the user out everywhere. Without --password-stdin, one is made and shown once.',
    )
    .argument('<email>', "the user's address")
    .option('--password-stdin', 'read the password from standard input')
    .option(...jsonOption)
    .action(async (email: string, options: { passwordStdin?: boolean; json?: boolean }) => {
      const { passwordStdin = false, ...output } = options
      const given = await readPassword(passwordStdin)
      const { password, changed } = await asOwner(async (place) => {
        await place.prepare()
        const password = given ?? makePassword(place)
        return { password, changed: await setPassword(place, place.owner, { email, password }) }
      })
      print(
        given === null ? { ...changed, password } : changed,
        `${changed.email} has a new password, and is signed out everywhere.` +
          (given === null ? `\n${sayPassword(password)}` : ''),
        output,
      )
    })
}
