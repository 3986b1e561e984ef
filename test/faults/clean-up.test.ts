/** What is over is deleted by whichever nodes there are, also after Postgres was away; and a node that stops does not wait for it. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { pino } from 'pino'
import { openPeopledDatabase, type PeopledDatabase } from '../../database/test/people.ts'
import { startCleanUp } from '../../server/src/composition/start-clean-up.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { type Database, openDatabase } from '../../server/src/ground/database/pool.ts'
import { logOptions } from '../../server/src/ground/log.ts'
import { until } from '../harness/nodes.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'

let db: PeopledDatabase
let proxy: TcpProxy
before(async () => {
  db = await openPeopledDatabase()
  proxy = await startTcpProxy(db.url)
})
after(async () => {
  await proxy.close()
  await db.close()
})

const lines: { level: number; msg: string }[] = []
const log = pino(logOptions('debug'), { write: (line) => void lines.push(JSON.parse(line)) })
const failures = () => lines.filter(({ msg }) => msg.startsWith('could not delete what is over'))
const stops: (() => unknown)[] = []
beforeEach(() => void lines.splice(0))
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

function startNode(through: TcpProxy | null = null): { auth: Database; stop(): void } {
  const url = db.urlOf('pie_auth').revealText()
  const auth = openDatabase(Secret.fromText(through?.through(url) ?? url), log, { runs: 'own' })
  const stop = startCleanUp({ auth, log }, null, { firstAfterMs: 0, everyMs: 20 })
  stops.push(() => auth.pool.end(), stop)
  return { auth, stop }
}

const addEnded = (count: number) =>
  db.owner.query(
    `insert into pie_private.sessions
       (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, revoked_at, revoked_reason)
     select gen_random_uuid(), $1, 'token', sha256('x'), '{pwd}', now() + interval '1 day', now() + interval '1 day',
       now() - interval '8 days', 'logout' from generate_series(1, $2::integer)`,
    [db.ada.id, count],
  )
const countSessions = async (): Promise<number> =>
  (await db.owner.query('select count(*)::int as count from pie_private.sessions')).rows[0].count

test('two nodes at once delete all of it, and neither fails', async () => {
  await addEnded(5_000)
  startNode()
  startNode()
  await until(async () => (await countSessions()) === 3)
  await until(() => lines.some(({ msg }) => msg === 'deleted what is over'))
  assert.deepEqual(failures(), [])
})

test('while Postgres is away that is said once, and when it is back it goes on', async () => {
  await proxy.refuse()
  proxy.cut()
  const { auth } = startNode(proxy)
  // How often a connection was asked for.
  const attempts = () => auth.waits.read().count
  await until(() => failures().length === 1)
  const first = attempts()
  await until(() => attempts() > first + 6)
  assert.equal(failures().length, 1)
  await proxy.accept()
  // The second time, the first has come to its end.
  for (let time = 1; time <= 2; time++) {
    await addEnded(10)
    await until(() => lines.filter(({ msg }) => msg === 'deleted what is over').length === time)
    assert.equal(await countSessions(), 3)
  }
  await proxy.refuse()
  proxy.cut()
  await until(() => failures().length === 2)
  await proxy.accept()
})

test('a node that stops deletes no more than the batch under way', async () => {
  await addEnded(20_000)
  const { stop } = startNode()
  await until(async () => (await countSessions()) < 20_000)
  stop()
  const left = await countSessions()
  assert.ok(left > 10_000, `${left}`)
  // A batch that was under way has ended when another transaction has been given its connection.
  await db.owner.query('select pg_sleep(0.5)')
  assert.ok((await countSessions()) >= left - 500)
  await db.owner.query('delete from pie_private.sessions where revoked_at is not null')
})
