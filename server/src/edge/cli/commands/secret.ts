import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { judgeSecretKey } from '../../../features/keys/check-secret-key.ts'
import { resealSigningKeys } from '../../../features/keys/reseal-signing-keys.ts'
import { takeOver } from '../../../features/keys/take-over.ts'
import {
  countSessionsOfOlderKeys,
  type SessionsOfOlderKeys,
} from '../../../features/sessions/count-sessions-of-older-keys.ts'
import { detectPoolMode } from '../../../ground/database/detect-pool-mode.ts'
import { checkNobodyConnected, setRolePassword } from '../../../ground/database/login-roles.ts'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext, OwnerContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

export function secretCommand(context: CommandContext): Command {
  return new Command('secret')
    .description('Change SECRET_KEY without signing anybody out.')
    .addCommand(rotateCommand(context))
}

interface RotateOptions {
  lost?: boolean
  setPasswords?: boolean
  json?: boolean
}

function rotateCommand({ asOwner }: CommandContext): Command {
  return new Command('rotate')
    .description(
      'Say what comes next in a change of SECRET_KEY, and do what can be done from here. Run it again after each step.',
    )
    .option(
      '--lost',
      'for a SECRET_KEY that is lost: makes the one that is set now the key, and signs everybody out',
    )
    .option(
      '--set-passwords',
      'set the passwords of pie_auth and cream to what SECRET_KEY makes, for nodes that have not got the owner’s address',
    )
    .option(...jsonOption)
    .action(async ({ lost = false, setPasswords = false, ...output }: RotateOptions) => {
      const step = await asOwner(
        async (place) => {
          if (lost) return takeOverLost(place)
          await place.prepare()
          if (setPasswords) return setRolePasswords(place)
          return place.keys.length === 1 ? begin() : goOn(place)
        },
        { mayBeWrong: lost },
      )
      print(step.data, step.text, output)
    })
}

interface Step {
  data: object
  text: string
}

async function setRolePasswords({ owner, keys, ownRoles, urls }: OwnerContext): Promise<Step> {
  for (const role of ownRoles) await setRolePassword(owner, role, keys, checkNobodyConnected)
  await logInOnce(await urls())
  return {
    data: { step: 'passwords', roles: ownRoles },
    text: `The database roles ${ownRoles.join(' and ')} have the passwords that the first key of SECRET_KEY makes.`,
  }
}

async function takeOverLost({ owner, keys, policy, ownRoles }: OwnerContext): Promise<Step> {
  if ((await judgeSecretKey(owner, keys)) !== 'wrong')
    throw new OperatorError(
      'This SECRET_KEY is the one of this database: nothing is lost, and nothing was changed.',
    )
  // First, because it may be refused: another Pie on this server may live by the passwords.
  for (const role of ownRoles) await setRolePassword(owner, role, keys)
  const { kid, ended } = await takeOver(owner, keys, policy.tokens.accessTokenSeconds)
  return {
    data: { step: 'taken_over', kid, ended_sessions: ended },
    text:
      `This SECRET_KEY is the key of this database now. ${ended} sessions have been ended: everybody signs in again, with the ` +
      'password they have. Start every node anew with it, and keep it somewhere else too.',
  }
}

function begin(): Step {
  const key = randomBytes(33).toString('base64url')
  return {
    data: { step: 'add', new_key: key },
    text: `SECRET_KEY has one key. A new one, made just now and kept nowhere:

  ${key}

1. On every node, add it at the end, and restart the nodes one after the other:
     SECRET_KEY=<the key you have>,<the new one>
   The key that you have is in the environment or in .env; if it is in neither, in DATA_DIR/secret-key.
   With a single node this step can be left out.
2. On every node, put the new one first, and restart them again:
     SECRET_KEY=<the new one>,<the key you had>
   From then on the new key signs, and both are accepted.
3. Then run pie secret rotate again: it moves what it can to the new key, and says when the old one may go.`,
  }
}

async function goOn({ owner, keys, policy, ownRoles, urls }: OwnerContext): Promise<Step> {
  const left = await countSessionsOfOlderKeys(owner, keys, policy.sessions.renewSeconds)
  const isDone = left.ofOlderKeys === 0
  // Last, because a node that has only the older key would open no connection from then on.
  const resealed = isDone ? await resealSigningKeys(owner, keys) : 0
  if (isDone) for (const role of ownRoles) await setRolePassword(owner, role, keys)
  if (isDone) await logInOnce(await urls())
  return {
    data: {
      step: isDone ? 'remove' : 'wait',
      resealed_signing_keys: resealed,
      sessions: left.sessions,
      sessions_of_older_keys: left.ofOlderKeys,
      older_keys_needed_until: left.endBy?.toISOString() ?? null,
    },
    text: `SECRET_KEY has ${keys.length} keys; the first signs, and all are accepted.\n\n${adviceFor(left)}`,
  }
}

/**
 * A pooler logs in with what its clients have shown it. Until one shows it the new password, it gets no
 * new connection to the server, and everybody behind it waits.
 */
async function logInOnce({ auth, requests }: Awaited<ReturnType<OwnerContext['urls']>>) {
  await detectPoolMode(auth, 'AUTH_DATABASE_URL')
  await detectPoolMode(requests, 'REQUEST_DATABASE_URL')
}

function adviceFor({ sessions, ofOlderKeys, endBy }: SessionsOfOlderKeys): string {
  if (ofOlderKeys === 0) {
    return `None of ${sessions} sessions needs an older key any more, and neither do the signing keys and the database roles'
passwords, which have just been moved to the first. Remove the other keys on every node, and restart the
nodes one after the other.`
  }
  return `${ofOlderKeys} of ${sessions} sessions still need an older key. Each moves to the first when it is used: a browser's with
its next request, tokens when they are refreshed. Those that are never used again end by ${endBy?.toISOString()}.
Wait, and run pie secret rotate again. To sign those people out now instead, end their sessions with
pie session revoke.`
}
