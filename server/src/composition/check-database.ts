import type { Logins } from '../features/operations/doctor/examine.ts'
import { examineAsLogin } from '../features/operations/doctor/examine-as-login.ts'
import type { Finding } from '../features/operations/doctor/finding.ts'
import { findingInWords } from '../features/operations/doctor/in-words.ts'
import { OperatorError, Refusal } from '../ground/errors.ts'
import type { Ground } from '../ground/ground.ts'

type Needs = Pick<Ground, 'auth' | 'requests' | 'clock' | 'log'>

/**
 * Looks at the database before anything is served, and logs what is in the way.
 * @throws OperatorError for what opens it, or keeps the login roles from looking
 */
export async function checkDatabase(ground: Needs): Promise<Finding[]> {
  try {
    const { findings, logins } = await examineAsLogin(ground)
    checkClosed(findings, logins)
    logFindings(ground, findings)
    return findings
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new OperatorError(
      `The login roles cannot work on this database: ${cause.message} Has somebody changed what they are set to? pie doctor says so.`,
      { cause },
    )
  }
}

/** @throws OperatorError for what opens a database */
export function checkClosed(findings: readonly Finding[], logins: Logins): void {
  const open = findings.filter(({ weight }) => weight === 'opens')
  if (open.length > 0) throw new OperatorError(refusal(open, logins))
}

/** The first few: one slip of a restore may be hundreds. */
const MOST_SHOWN = 8

function refusal(open: Finding[], logins: Logins): string {
  const shown = open
    .slice(0, MOST_SHOWN)
    .map((finding) => `  ${nameSetting(findingInWords(finding), logins)}`)
  const more = open.length > MOST_SHOWN ? [`  … and ${open.length - MOST_SHOWN} more.`] : []
  return [
    'This database is open, so Pie does not start on it:',
    ...shown,
    ...more,
    'All of it: pie doctor. What can be mended safely, pie doctor --mend does.',
  ].join('\n')
}

/** Which setting names the role: `role cream (REQUEST_DATABASE_URL)`. */
function nameSetting(text: string, { requests, auth }: Logins): string {
  for (const [login, setting] of [
    [requests, 'REQUEST_DATABASE_URL'],
    [auth, 'AUTH_DATABASE_URL'],
  ] as const)
    if (text.startsWith(`role ${login} `)) return text.replace(login, `${login} (${setting})`)
  return text
}

/** @param known what has been logged before */
export function logFindings(
  { log }: Pick<Ground, 'log'>,
  findings: readonly Finding[],
  known: readonly Finding[] = [],
): void {
  const before = new Set(known.map(({ object, what }) => `${object} ${what}`))
  for (const finding of findings) {
    const { check, object, what, weight } = finding
    if (before.has(`${object} ${what}`)) continue
    const level = { opens: 'error', hinders: 'warn', tells: 'info' } as const
    log[level[weight]]({ check, weight }, findingInWords(finding))
  }
}
