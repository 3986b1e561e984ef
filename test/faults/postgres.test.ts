import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import { findPostmaster } from '../../server/src/ground/embedded-postgres/postmaster.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../server/src/ground/embedded-postgres/start-embedded-postgres.ts'
import { atExit } from '../harness/at-exit.ts'
import {
  addBrowser,
  type Browser,
  cacheStatus,
  type Nodes,
  startNodes,
  until,
} from '../harness/nodes.ts'
import type { TestPie } from '../harness/pie.ts'
import { waitForEnd } from '../harness/process.ts'
import { startTraffic } from '../harness/traffic.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

let directory: string
let postgres: EmbeddedPostgres
let valkey: Valkey
let nodes: Nodes
const start = async () => {
  const settings = { fsync: 'off', max_connections: '100' }
  postgres = await startEmbeddedPostgres({ directory, holder: { kind: 'server' }, settings })
}
const kill = (signal: NodeJS.Signals): number => {
  const { pid } = findPostmaster(join(directory, 'data')) ?? { pid: 0 }
  if (pid > 0) process.kill(pid, signal)
  return pid
}
atExit(() => kill('SIGQUIT'))
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pie-restarted-'))
  await start()
  valkey = await startValkey()
  nodes = await startNodes({ CACHE_URL: valkey.url }, postgres.url.revealText())
  // These connections end with the server, too.
  for (const { owner } of nodes.all) owner.on('error', () => {})
})
after(async () => {
  await nodes?.close()
  await valkey?.stop()
  await postgres?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Works with a connection of its own. */
async function asOwner<T>(work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: postgres.url.revealText() })
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

/** What reads Postgres itself, and what writes there: the statuses of the answers, until told to stop. */
function keepWorking(node: TestPie, { headers }: Browser): () => Promise<Set<number>> {
  const statuses = new Set<number>()
  let isOver = false
  const work = async (method: string, body?: unknown) => {
    while (!isOver) {
      const { status } = await node.request('/users/me', { method, headers, body })
      statuses.add(status)
      await sleep(10)
    }
  }
  const working = Promise.all([work('GET'), work('PATCH', { name: 'Ada' })])
  working.catch(() => {})
  return async () => {
    isOver = true
    await working
    return statuses
  }
}

/** Postgres ends while everybody is at work, stays away for longer than any trust, and comes back. */
async function endAndStart(end: () => Promise<void>): Promise<void> {
  const [ending, lasting] = await asOwner(async (owner) => [
    await addBrowser(owner, 'ada'),
    await addBrowser(owner, 'ada'),
  ])
  assert.ok(ending && lasting)
  const traffic = startTraffic(nodes.all, [ending, lasting])
  const stopWorking = nodes.all.map((node) => keepWorking(node, lasting))
  await traffic.round()
  await end()
  await sleep(TRUST_MS)
  const gone = performance.now()
  await traffic.round()
  assert.equal(traffic.count(200, gone), 0, 'nobody is let in when nobody can know')

  await start()
  await asOwner((owner) =>
    owner.query('select pie_private.revoke_sessions($1, null)', [ending.sessionId]),
  )
  traffic.ended(ending)
  for (const node of nodes.all) await until(async () => (await cacheStatus(node)).hears)
  await until(async () => {
    const since = performance.now()
    await traffic.round()
    return traffic.count(503, since) === 0
  })
  for (const stop of stopWorking) assert.deepEqual([...(await stop())].sort(), [200, 503])
  await traffic.stop()
}

describe('valid sessions are told to wait, ended ones are refused, and nobody restarts Pie, when Postgres', () => {
  test('is restarted', () => endAndStart(() => postgres.stop()))

  test('crashes', () => endAndStart(() => waitForEnd(kill('SIGQUIT'))))
})
