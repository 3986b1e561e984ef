import { setTimeout as sleep } from 'node:timers/promises'
import { openHttpConnection } from '../load/http-connection.ts'
import { formatRequest } from '../load/http-request.ts'

/** A server that is not up after this long will not come up. */
const PATIENCE_MS = 60_000

/** Asks until the first answer, which has to be a good one. A refused connection costs next to nothing. */
export async function untilFirstAnswer(address: string, path: string): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS
  while (performance.now() < untilMs) {
    const connection = await openHttpConnection(address).catch(() => null)
    if (connection === null) {
      await sleep(5)
      continue
    }
    const { status, body } = await connection.exchange(formatRequest({ method: 'GET', path }))
    connection.close()
    if (status !== 200) throw new Error(`${address}${path} answered ${status}: ${body}`)
    return
  }
  throw new Error(`${address} did not answer within ${PATIENCE_MS / 1000} s`)
}
