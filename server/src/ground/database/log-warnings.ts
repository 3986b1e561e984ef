import type { Log } from '../log.ts'

type Notice = Partial<Record<'severity' | 'code' | 'message', string | undefined>>

const MOST_CHARACTERS = 500
const MOST_EACH_SECOND = 10

/**
 * Logs what SQL warns of, such as a hook of the application's that failed. Lesser notices are for nobody. The words are
 * whoever's whose SQL runs: they stand in a field of their own, so that nobody writes Pie's lines, and are few, so that nobody fills its log.
 */
export function createWarningLog(log: Log): (notice: Notice) => void {
  let told = 0
  let untold = 0
  const beginAnew = () => {
    if (untold > 0) log.warn({ untold }, 'SQL warns of more than is told')
    told = 0
    untold = 0
  }
  return ({ severity, code, message = '' }) => {
    if (severity !== 'WARNING') return
    if (told === 0) setTimeout(beginAnew, 1_000).unref()
    if (told >= MOST_EACH_SECOND) {
      untold += 1
      return
    }
    told += 1
    log.warn({ sqlstate: code, warning: message.slice(0, MOST_CHARACTERS) }, 'SQL warns')
  }
}
