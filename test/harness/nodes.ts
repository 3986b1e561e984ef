/** Several nodes of one Pie, as they stand behind a load balancer without sticky sessions. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { addPerson, hashOf, proofOf, testKeys } from '../../database/test/people.ts'
import { signOperatorToken } from '../../server/src/features/operations/operator-token.ts'
import { makeCsrfToken } from '../../server/src/features/sessions/csrf-token.ts'
import { signSessionId } from '../../server/src/features/sessions/session-cookie.ts'
import { systemClock } from '../../server/src/ground/clock.ts'
import { type Answer, type RequestOptions, startTestPie, type TestPie } from './pie.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

export interface Nodes {
  all: readonly [TestPie, TestPie, TestPie]
  /** Connected as the owner. */
  owner: pg.Client
  /** At one node after the other. */
  request(path: string, options?: RequestOptions): Promise<Answer>
  close(): Promise<void>
}

/** @param databaseUrl of a server of the test's own, if not of the one that all share */
export async function startNodes(
  settings: Record<string, string> = {},
  databaseUrl?: string,
): Promise<Nodes> {
  const first = await startTestPie({ settings, ...(databaseUrl && { databaseUrl }) })
  const others = { settings, databaseUrl: first.databaseUrl }
  const all = [first, await startTestPie(others), await startTestPie(others)] as const
  let turn = 0
  return {
    all,
    owner: first.owner,
    request: (path, options) => {
      turn += 1
      return (all[turn % all.length] as TestPie).request(path, options)
    },
    close: async () => {
      for (const node of [...all].reverse()) await node.close()
    },
  }
}

export interface ProxiedNode {
  node: TestPie
  proxy: TcpProxy
  close(): Promise<void>
}

/**
 * Another node, whose listening connection, and no other, goes through a proxy.
 * @param overhear is told what the node sends there, before it is sent on
 */
export async function startListeningThroughProxy(
  { databaseUrl }: Pick<TestPie, 'databaseUrl'>,
  settings: Record<string, string>,
  overhear?: (text: string, proxy: TcpProxy) => void,
): Promise<ProxiedNode> {
  const proxy = await startTcpProxy(databaseUrl, overhear)
  const node = await startTestPie({
    settings: { DIRECT_DATABASE_URL: proxy.through(databaseUrl), ...settings },
    databaseUrl,
  })
  return {
    node,
    proxy,
    close: async () => {
      await node.close()
      await proxy.close()
    },
  }
}

/** Somebody's browser: what it sends with every request. */
export interface Browser {
  sessionId: string
  headers: { cookie: string; 'x-csrf-token': string }
}

/** Signs somebody in, as it is in the database afterwards: quicker than with a password. */
export async function addBrowser(owner: pg.ClientBase, name: string): Promise<Browser> {
  const { rows } = await owner.query(
    'select user_id from pie_schema.user_emails where email = $1',
    [`${name}@example.com`],
  )
  const userId: string = rows[0]?.user_id ?? (await addPerson(owner, name)).id
  const sessionId = randomUUID()
  await owner.query(
    `select pie_private.start_session($1, $2, 'browser', $3, '{pwd}', '1 hour', '1 day', '192.0.2.1', 'tests')`,
    [userId, sessionId, hashOf(proofOf(sessionId))],
  )
  return asBrowser(sessionId)
}

function asBrowser(sessionId: string): Browser {
  const keys = [testKeys] as const
  return {
    sessionId,
    headers: {
      cookie: `pie_session_3000=${signSessionId(keys, sessionId)}`,
      'x-csrf-token': makeCsrfToken({ keys, clock: systemClock }, sessionId),
    },
  }
}

/** What the browser is told that it is: 200, or why not. */
export const whoAmI = (
  node: Pick<TestPie, 'request'>,
  { headers: { cookie } }: Browser,
): Promise<Answer> => node.request('/auth/session', { headers: { cookie } })

/** Ends its own session: from the answer on, it is refused. */
export async function revoke(
  node: Pick<TestPie, 'request'>,
  { sessionId, headers }: Browser,
): Promise<void> {
  const answer = await node.request(`/auth/sessions/${sessionId}`, { method: 'DELETE', headers })
  assert.equal(answer.status, 204, JSON.stringify(answer.body))
}

/** What a node says of its caches to whoever holds SECRET_KEY. */
export async function cacheStatus(node: Pick<TestPie, 'request'>): Promise<Answer['body']> {
  const token = signOperatorToken({ keys: [testKeys], clock: systemClock })
  const answer = await node.request('/health/cache', { token })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

/**
 * Polls until it is so. What has to be so after a time fails only by a look that began after it: on a busy
 * machine an answer that was asked for in time may come much later.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs = 60_000,
  what = condition.toString(),
): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const isLast = performance.now() > deadline
    if (await condition()) return
    assert.ok(!isLast, `not within ${withinMs} ms: ${what}`)
    await sleep(10)
  }
}

/** Waits until so many statements in this database wait for a lock of another. */
export const untilWaiting = (owner: pg.ClientBase, count: number): Promise<void> =>
  until(
    async () => {
      const { rows } = await owner.query(
        `select count(*)::integer as waiting from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend'
           and cardinality(pg_blocking_pids(pid)) > 0`,
      )
      return rows[0].waiting === count
    },
    undefined,
    `${count} wait for a lock`,
  )
