import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import type { HttpAnswer } from '../load/http-connection.ts'
import type { Valkey } from '../servers/start-valkey.ts'
import type { CookieSession } from './cookie-session.ts'

/** Nothing waits for what Pie writes there, so it may still be on its way; not for this long. */
const PATIENCE_MS = 10_000

/**
 * Puts what the floor is to answer for each session beside what Pie has put there, in values of the same
 * size: an answer, and spaces.
 */
export async function fillFloorValues(
  { url }: Valkey,
  cookies: readonly CookieSession[],
  answers: readonly HttpAnswer[],
): Promise<void> {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  const lengthOnceThere = async (sessionId: string): Promise<number> => {
    const untilMs = performance.now() + PATIENCE_MS
    for (;;) {
      // Before the id stands which history of which database it was read from.
      const [key] = await client.keys(`pie:session:*:${sessionId}`)
      if (key !== undefined) return client.strLen(key)
      if (performance.now() > untilMs) throw new Error(`Pie has not put ${sessionId} in Valkey`)
      await sleep(10)
    }
  }
  try {
    for (const [place, { browserSessionId }] of cookies.entries()) {
      const length = await lengthOnceThere(browserSessionId)
      await client.set(`bench:${browserSessionId}`, (answers[place]?.body ?? '').padEnd(length))
    }
  } finally {
    client.destroy()
  }
}
