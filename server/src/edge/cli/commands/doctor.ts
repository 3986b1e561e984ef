import { Command } from 'commander'
import { judgeSecretKey } from '../../../features/keys/check-secret-key.ts'
import { askingAsOwner } from '../../../features/operations/doctor/asking.ts'
import { examine } from '../../../features/operations/doctor/examine.ts'
import type { Finding } from '../../../features/operations/doctor/finding.ts'
import { findingsInWords } from '../../../features/operations/doctor/in-words.ts'
import { type Mended, mend } from '../../../features/operations/doctor/mend.ts'
import { systemClock } from '../../../ground/clock.ts'
import { OperatorError } from '../../../ground/errors.ts'
import type { CommandContext, LookContext } from '../command-context.ts'
import { jsonOption, print } from '../print.ts'

/** What is mended may uncover more: a role that inherits no longer, and is a member still. */
const MOST_ROUNDS = 3

interface DoctorOptions {
  mend?: boolean
  yes?: boolean
  node?: string | true
  json?: boolean
}

export function doctorCommand({ onDatabase, askNode }: CommandContext): Command {
  return new Command('doctor')
    .description(
      'Look at everything that security stands on in the database: roles, grants, policies, triggers, settings. Ends with 1 when something is wrong.',
    )
    .option('--mend', 'run what mends it, where that takes nothing away that anybody may want')
    .option('--yes', 'with --mend: also what may take away what somebody wants')
    .option(
      '--node [address]',
      'ask a running node instead what it has found: the one at SOCKET, or at another address',
    )
    .option(...jsonOption)
    .action(async ({ mend: isMending = false, yes = false, node, ...output }: DoctorOptions) => {
      const { looked, findings, mended } =
        node === undefined
          ? await onDatabase(async (place) => {
              await place.findPie()
              const looked = lookedAt(place)
              return isMending
                ? { looked, ...(await mendAll(place, yes)) }
                : { looked, findings: await look(place), mended: null }
            })
          : { ...(await askFindings(askNode, node === true ? null : node)), mended: null }
      print(
        { ...looked.json, findings: findings.map(shown), ...(mended !== null && { mended }) },
        [
          looked.text,
          ...(mended === null ? [] : [mendedInWords(mended)]),
          findingsInWords(findings),
        ].join('\n\n'),
        output,
      )
      if (findings.some(({ weight }) => weight !== 'tells')) process.exitCode = 1
    })
}

/** Of several hosts it is one, and the node's own look is of some time ago. */
interface Looked {
  text: string
  json: Record<string, string>
}

function lookedAt({ owner: { database, host, port } }: LookContext): Looked {
  const at = `${database} on ${host}:${port}`
  return { text: `Looked at the database ${at}.`, json: { looked_at: at } }
}

async function askFindings(
  askNode: CommandContext['askNode'],
  address: string | null,
): Promise<{ looked: Looked; findings: Finding[] }> {
  const answer = (await askNode('/health/ready?verbose', address)) as {
    findings?: Omit<Finding, 'isSafe'>[]
    checked_at?: string
  }
  if (!Array.isArray(answer.findings))
    throw new OperatorError('This is no answer of Pie’s: is it a Pie?')
  const checkedAt = answer.checked_at ?? ''
  return {
    looked: {
      text: `The node looked at ${checkedAt}; it does every hour.`,
      json: { checked_at: checkedAt },
    },
    findings: answer.findings.map((finding) => ({ ...finding, isSafe: true })),
  }
}

async function look({ owner, logins, readKeys, findLockedOut }: LookContext): Promise<Finding[]> {
  const findings = await askingAsOwner(owner, (ask) => examine(ask, systemClock, logins))
  const keys = await readKeys()
  // Where what lists them is missing, that is found above.
  const verdict =
    keys === null ? 'unknown' : await judgeSecretKey(owner, keys).catch(() => 'unknown')
  const isWrong = verdict === 'wrong'
  if (isWrong) return [wrongKey, ...findings]
  const lockedOut = keys === null ? [] : await findLockedOut(keys)
  return [...lockedOut.map(rolePassword), ...findings]
}

const rolePassword = (role: string): Finding => ({
  check: 'role-password',
  weight: 'hinders',
  object: `role ${role}`,
  what: 'has another password than SECRET_KEY makes',
  why: 'Somebody has set it: nodes cannot connect as it any more, and answer 503. Start a node that has the owner’s address, or run pie secret rotate --set-passwords.',
  mend: null,
  isSafe: false,
})

const wrongKey: Finding = {
  check: 'secret-key',
  weight: 'hinders',
  object: 'SECRET_KEY',
  what: 'is not the one of this database',
  why: 'It opens none of the signing keys: no node starts with it, and no command writes. Set the one that the running nodes have.',
  mend: null,
  isSafe: false,
}

async function mendAll(
  place: LookContext,
  isAllowed: boolean,
): Promise<{ findings: Finding[]; mended: Mended }> {
  const mended: Mended = { ran: [], failed: [] }
  let findings = await look(place)
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { ran, failed } = await mend(
      place.owner,
      findings.map((finding) => ({ ...finding, isSafe: isAllowed || finding.isSafe })),
    )
    mended.ran.push(...ran)
    mended.failed = failed
    findings = await look(place)
    if (ran.length === 0) break
  }
  return { findings, mended }
}

const shown = ({ isSafe, ...finding }: Finding) => ({ ...finding, is_safe: isSafe })

function mendedInWords({ ran, failed }: Mended): string {
  const lines = ran.map((statement) => `  ${statement.replaceAll('\n', '\n  ')}`)
  const failures = failed.map(({ mend, reason }) => `  ${mend}\n    ${reason}`)
  return [
    ran.length === 0 ? 'Nothing was mended.' : `Mended:\n${lines.join('\n')}`,
    ...(failures.length === 0
      ? []
      : [`Could not be mended, by this owner:\n${failures.join('\n')}`]),
  ].join('\n\n')
}
