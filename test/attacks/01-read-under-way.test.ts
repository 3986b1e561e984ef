import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testKeys } from '../../database/test/people.ts'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'
import { addBrowser, cacheStatus, until, whoAmI } from '../harness/nodes.ts'
import { assertProblem, startTestPie, type TestPie } from '../harness/pie.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'

let database: TestDatabase
/** What the node reads with, and what it hears with. */
let reading: TcpProxy
let hearing: TcpProxy
let node: TestPie
before(async () => {
  database = await cloneDatabase()
  const cream = new URL(database.url)
  cream.username = 'cream'
  cream.password = testKeys.requestRolePassword.revealText()
  reading = await startTcpProxy(cream.href)
  hearing = await startTcpProxy(database.url)
  node = await startTestPie({
    databaseUrl: database.url,
    settings: {
      REQUEST_DATABASE_URL: reading.through(cream.href),
      DIRECT_DATABASE_URL: hearing.through(database.url),
    },
  })
})
after(async () => {
  // Whatever is still kept goes with them.
  for (const proxy of [reading, hearing]) await proxy?.close()
  await node?.close()
  await database?.drop()
})

test('what was being read when a session was revoked lets nobody in who asks afterwards', async () => {
  // Again, where on a busy machine it took longer than the node believes what it has.
  await until(readAndRevoke)
})

/** Whether the node still believed its cache when it was asked afterwards. */
async function readAndRevoke(): Promise<boolean> {
  hearing.speak()
  const ada = await addBrowser(node.owner, 'ada')
  const grace = await addBrowser(node.owner, 'grace')
  await until(async () => (await cacheStatus(node)).hears)
  // Twice: then both connections that read are open.
  for (const browser of [grace, await addBrowser(node.owner, 'grace')])
    assert.equal((await whoAmI(node, browser)).status, 200)

  const { rows } = await node.owner.query('select clock_timestamp()::text as now')
  reading.keepAnswers()
  const before = whoAmI(node, ada)
  // Postgres has found the session good; the answer is on its way, and no notice comes any more.
  await until(() => hasReadSince(rows[0].now))
  hearing.silence()
  const logout = await node.request('/auth/logout', { method: 'POST', headers: ada.headers })
  assert.equal(logout.status, 204)
  const afterwards = Array.from({ length: 5 }, () => whoAmI(node, ada))
  const { hears } = await cacheStatus(node)
  reading.speak()

  assert.equal((await before).status, 200)
  for (const answer of await Promise.all(afterwards)) assertProblem(answer, 401, 'unauthenticated')
  assertProblem(await whoAmI(node, ada), 401, 'unauthenticated')
  assert.equal((await whoAmI(node, grace)).status, 200)
  return hears
}

/** Whether Postgres is done with a reading of a session that began since then. */
async function hasReadSince(moment: string): Promise<boolean> {
  const { rowCount } = await node.owner.query(
    `select from pg_stat_activity where application_name = 'pie reads' and datname = current_database()
       and query ~ 'read_session' and state = 'idle' and query_start >= $1`,
    [moment],
  )
  return rowCount === 1
}
