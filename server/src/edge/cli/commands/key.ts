import { Command } from 'commander'
import { rotateSigningKey } from '../../../features/keys/rotate-signing-key.ts'
import type { CommandContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function keyCommand(context: CommandContext): Command {
  return new Command('key')
    .description('Manage the keys that sign access tokens.')
    .addCommand(rotateCommand(context))
}

function rotateCommand({ asOwner }: CommandContext): Command {
  return new Command('rotate')
    .description(
      'Add a signing key. It is published at once and signs from ten minutes on; older keys run out by themselves.',
    )
    .option(
      '--now',
      'for a key that somebody else may have: older keys end at once, and with them every access token',
    )
    .option(...jsonOption)
    .action(async ({ now = false, ...output }: { now?: boolean; json?: boolean }) => {
      const rotation = await asOwner(async ({ owner, prepare, keys, policy }) => {
        await prepare()
        return rotateSigningKey(owner, keys, {
          accessTokenSeconds: policy.tokens.accessTokenSeconds,
          endOlderNow: now,
        })
      })
      const { kid, signsAfterSeconds, olderEndAfterSeconds } = rotation
      print(
        { kid, signs_after: signsAfterSeconds, older_end_after: olderEndAfterSeconds },
        now
          ? `The key ${kid} signs, and no older one is accepted. Running nodes know within a minute.`
          : `The key ${kid} is published, and signs in ${signsAfterSeconds / 60} minutes. ` +
              `Older keys are accepted for ${Math.ceil(olderEndAfterSeconds / 60)} minutes more.`,
        output,
      )
    })
}
