import pg from 'pg'
import { makeIdentity } from '../../server/src/features/sessions/start-session.ts'
import { type HttpConnection, openHttpConnection } from '../load/http-connection.ts'
import { formatRequest } from '../load/http-request.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { PieUnderTest } from '../servers/start-pie.ts'
import { type CookieSession, sessionExchange, toCookieSession } from './cookie-session.ts'
import { seedSessions } from './seed.ts'
import type { Stage } from './set-stage.ts'

/** Revokes one session after the other, each of which all nodes have in memory by then. */
export interface Revocations {
  /**
   * On the first node, at the wish of its user. How many milliseconds after the answer the last of the
   * others refuses it; 0 when that was before.
   */
  byRequest(): Promise<number>
  /** As with psql: after the commit, the last of all. */
  bySql(): Promise<number>
  close(): Promise<void>
}

/** A node that lets somebody in for this long never heard of it. The promise is 2 s. */
const GIVE_UP_MS = 10_000

export async function openRevocations(
  { keys, ownerUrl, pie, sessions }: Stage,
  nodes: readonly PieUnderTest[],
  count: number,
): Promise<Revocations> {
  const owner = new pg.Client({ connectionString: ownerUrl.revealText() })
  await owner.connect()
  const user = takeTurns(sessions)
  const started = Array.from({ length: count }, () => ({
    ...user(),
    session: makeIdentity(keys, 'browser'),
  }))
  await seedSessions(owner, started)
  const next = takeTurns(
    started.map((one) => ({
      ...toCookieSession(keys, { ...one, browserSessionId: one.session.id }, pie.address),
      accessToken: one.accessToken,
    })),
  )
  const connections = await Promise.all(nodes.map(({ address }) => openHttpConnection(address)))
  const [first, ...others] = connections as [HttpConnection, ...HttpConnection[]]
  const revoking = await openHttpConnection(nodes[0]?.address ?? '')

  return {
    byRequest: async () => {
      const { browserSessionId, accessToken: token, ...rest } = next()
      const cookie = { ...rest, browserSessionId }
      await use(cookie, connections)
      const path = `/auth/sessions/${browserSessionId}`
      return delayUntilRefused(cookie, others, async () => {
        const request = formatRequest({ method: 'DELETE', path, token })
        const { status, body } = await revoking.exchange(request)
        const revokedMs = performance.now()
        if (status !== 204) throw new Error(`DELETE ${path} answered ${status}: ${body}`)
        if (await isLetIn(cookie, first))
          throw new Error('the node that had revoked a session went on to let it in')
        return revokedMs
      })
    },
    bySql: async () => {
      const cookie = next()
      await use(cookie, connections)
      return delayUntilRefused(cookie, connections, async () => {
        await owner.query(
          `update pie_private.sessions set revoked_at = now(), revoked_reason = 'bench' where id = $1`,
          [cookie.browserSessionId],
        )
        return performance.now()
      })
    },
    close: async () => {
      for (const connection of [...connections, revoking]) connection.close()
      await owner.end()
    },
  }
}

async function use(cookie: CookieSession, connections: readonly HttpConnection[]): Promise<void> {
  for (const connection of connections)
    if (!(await isLetIn(cookie, connection))) throw new Error('a good session was refused')
}

/** @param revoke returns when it was answered */
async function delayUntilRefused(
  cookie: CookieSession,
  connections: readonly HttpConnection[],
  revoke: () => Promise<number>,
): Promise<number> {
  const refused = Promise.all(connections.map((connection) => untilRefused(cookie, connection)))
  const [revokedMs, refusedMs] = await Promise.all([revoke(), refused])
  return Math.max(0, Math.max(...refusedMs) - revokedMs)
}

/** Uses a session as fast as it is answered; returns when the first refusal came in. */
async function untilRefused(cookie: CookieSession, connection: HttpConnection): Promise<number> {
  const untilMs = performance.now() + GIVE_UP_MS
  while (performance.now() < untilMs)
    if (!(await isLetIn(cookie, connection))) return performance.now()
  throw new Error(`a revoked session was let in for ${GIVE_UP_MS / 1000} s`)
}

/** Whether a node lets a session in. Every answer is checked: the right one, or a refusal. */
async function isLetIn(cookie: CookieSession, connection: HttpConnection): Promise<boolean> {
  const { request, check } = sessionExchange(cookie)
  const answer = await connection.exchange(request)
  if (answer.status === 401 && JSON.parse(answer.body).code === 'unauthenticated') return false
  check(answer)
  return true
}
