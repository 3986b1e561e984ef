import { examineAsLogin } from '../features/operations/doctor/examine-as-login.ts'
import type { Health } from '../features/operations/doctor/health.ts'
import type { Ground } from '../ground/ground.ts'
import { checkDatabase, logFindings } from './check-database.ts'

const EVERY_MS = 3_600_000

/**
 * Looks at the database now, and again every hour; logs what is new.
 * @throws OperatorError for what opens it now. What opens it later is logged as an error, and the node goes on: whoever could do
 *   that could as well keep every node from starting
 */
export async function openHealth(
  ground: Pick<Ground, 'auth' | 'requests' | 'clock' | 'log'>,
): Promise<Health & { close(): void }> {
  let findings = await checkDatabase(ground)
  let checkedAt = ground.clock.now()
  const timer = setInterval(async () => {
    try {
      const { findings: found } = await examineAsLogin(ground)
      logFindings(ground, found, findings)
      findings = found
      checkedAt = ground.clock.now()
    } catch (error) {
      ground.log.warn({ err: error }, 'could not look at the database; what was found before stays')
    }
  }, EVERY_MS)
  timer.unref()
  return { findings: () => findings, checkedAt: () => checkedAt, close: () => clearInterval(timer) }
}
