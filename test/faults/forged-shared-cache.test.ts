import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import {
  addBrowser,
  type Browser,
  cacheStatus,
  type Nodes,
  startNodes,
  until,
  whoAmI,
} from '../harness/nodes.ts'
import { assertProblem, snapshot, startTestPie } from '../harness/pie.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

let valkey: Valkey
let nodes: Nodes
before(async () => {
  valkey = await startValkey()
  nodes = await startNodes({ CACHE_URL: valkey.url })
  const { sessionId } = await readFirst(await addBrowser(nodes.owner, 'katherine'))
  prefix = ((await valkey.findKey(sessionId)) ?? '').slice(0, -sessionId.length)
})
after(async () => {
  await nodes?.close()
  await valkey?.stop()
})

/** What the key of every session begins with. */
let prefix: string
const keyOf = ({ sessionId }: Browser): string => `${prefix}${sessionId}`

/** Has a node read a session, until it has shared it: on a busy machine it may not hear, or the cache may be slow. */
async function readFirst(browser: Browser): Promise<Browser> {
  await until(async () => {
    await until(async () => (await cacheStatus(nodes.all[0])).hears)
    assert.equal((await whoAmI(nodes.all[0], browser)).status, 200)
    for (let looks = 0; looks < 50; looks += 1) {
      if ((await valkey.findKey(browser.sessionId)) !== null) return true
      await sleep(10)
    }
    // What it has not shared, it reads again when that has changed.
    await nodes.owner.query(
      `update pie_schema.users set version = version
       where id = (select user_id from pie_private.sessions where id = $1)`,
      [browser.sessionId],
    )
    await untilAllHaveHeard()
    return false
  })
  return browser
}

/** Notices come in order: when the last is heard, so are those before it. */
async function untilAllHaveHeard(): Promise<void> {
  const mark = await addBrowser(nodes.owner, 'margaret')
  for (const node of nodes.all) assert.equal((await whoAmI(node, mark)).status, 200)
  await revokeWithSql(mark)
  for (const node of nodes.all)
    await until(async () => (await whoAmI(node, mark)).status === 401, TRUST_MS)
}

/** What is in the shared cache of a session, once a node has read it. */
async function readShared(browser: Browser): Promise<Buffer> {
  await readFirst(browser)
  return (await valkey.ask('GET', keyOf(browser))) as Buffer
}

/** Puts something there, and asks a node that has not seen the session and has to look there. */
async function plant(browser: Browser, ...command: [name: string, ...values: (Buffer | string)[]]) {
  const [, , node] = nodes.all
  await until(async () => (await cacheStatus(node)).hears)
  const [name, ...values] = command
  await valkey.ask('DEL', keyOf(browser))
  await valkey.ask(name, keyOf(browser), ...values)
  const earlier = await cacheStatus(node)
  const answer = await whoAmI(node, browser)
  const { shared_hits } = await cacheStatus(node)
  return { answer, isBelieved: shared_hits > earlier.shared_hits }
}

const revokeWithSql = ({ sessionId }: Browser) =>
  nodes.owner.query('select pie_private.revoke_sessions($1, null)', [sessionId])

/** What can be made of an entry by whoever does not have the key. */
const damages: Record<string, (entry: Buffer) => Buffer> = {
  'nothing at all': () => Buffer.alloc(0),
  'its first byte': (entry) => entry.subarray(0, 1),
  'its versions alone': (entry) => entry.subarray(0, 32),
  'its versions and too little': (entry) => entry.subarray(0, 40),
  'all but its last byte': (entry) => entry.subarray(0, -1),
  'one byte more': (entry) => Buffer.concat([entry, Buffer.from('x')]),
  'another nonce': (entry) => flipped(entry, 32),
  'another tag': (entry) => flipped(entry, 50),
  'other content': (entry) => flipped(entry, entry.length - 20),
  'what it would say if it were not sealed': (entry) =>
    Buffer.concat([entry.subarray(0, 32), Buffer.from(JSON.stringify({ value: { user: {} } }))]),
  'a megabyte of zeros': () => Buffer.alloc(1_000_000),
}

function flipped(entry: Buffer, index: number): Buffer {
  const copy = Buffer.from(entry)
  copy.writeUInt8((copy[index] ?? 0) ^ 1, index)
  return copy
}

describe('whoever can write to the shared cache', () => {
  test('is believed only when they put back what is still true', async () => {
    // Once at least: a cache that is slow for a moment is not waited for.
    await until(async () => {
      const ada = await addBrowser(nodes.owner, 'ada')
      const { answer, isBelieved } = await plant(ada, 'SET', await readShared(ada))
      assert.equal(answer.body.user.email, 'ada@example.com')
      return isBelieved
    })
  })

  test("makes nobody an admin with an admin's entry, and revives nobody with it", async () => {
    const dorothy = await addBrowser(nodes.owner, 'dorothy')
    await nodes.owner.query(`select pie_private.grant_role('dorothy@example.com', 'admin')`)
    const admin = await addBrowser(nodes.owner, 'dorothy')
    await until(async () => (await whoAmI(nodes.all[0], dorothy)).body.user?.roles.length === 2)
    const entry = await readShared(admin)
    const ada = await addBrowser(nodes.owner, 'ada')
    const asAda = await plant(ada, 'SET', entry)
    assert.deepEqual(asAda.answer.body.user.roles, ['viewer'])
    assert.equal(asAda.answer.body.user.email, 'ada@example.com')
    assert.ok(!asAda.isBelieved)

    const ended = await addBrowser(nodes.owner, 'ada')
    await revokeWithSql(ended)
    const earlier = await snapshot(nodes.owner)
    assertProblem((await plant(ended, 'SET', entry)).answer, 401, 'unauthenticated')
    assert.deepEqual(await snapshot(nodes.owner), earlier)
  })

  for (const [what, damage] of Object.entries(damages)) {
    test(`changes nothing by leaving ${what}, and Postgres is asked`, async () => {
      const ada = await addBrowser(nodes.owner, 'ada')
      const ended = await addBrowser(nodes.owner, 'ada')
      const entry = damage(await readShared(ended))
      await revokeWithSql(ended)
      const { answer, isBelieved } = await plant(ada, 'SET', entry)
      assert.equal(answer.status, 200)
      assert.equal(answer.body.user.email, 'ada@example.com')
      assert.ok(!isBelieved)
      assertProblem((await plant(ended, 'SET', entry)).answer, 401, 'unauthenticated')
    })
  }

  test('changes nothing by leaving something of another type', async () => {
    const ada = await addBrowser(nodes.owner, 'ada')
    const { answer } = await plant(ada, 'RPUSH', 'x')
    assert.equal(answer.body.user.email, 'ada@example.com')
  })
})

describe('an older entry, played back', () => {
  const newest = (entry: Buffer) => Buffer.concat([Buffer.alloc(32, '9'), entry.subarray(32)])

  test('after the session has ended, is refused by every node, and by one that starts', async () => {
    const ada = await addBrowser(nodes.owner, 'ada')
    const entry = await readShared(ada)
    await revokeWithSql(ada)
    await until(async () => (await whoAmI(nodes.all[0], ada)).status === 401, TRUST_MS)
    await untilAllHaveHeard()
    const earlier = await snapshot(nodes.owner)
    for (const played of [entry, newest(entry)]) {
      assertProblem((await plant(ada, 'SET', played)).answer, 401, 'unauthenticated')
      for (const node of nodes.all) assertProblem(await whoAmI(node, ada), 401, 'unauthenticated')
      const { databaseUrl } = nodes.all[0]
      const late = await startTestPie({ settings: { CACHE_URL: valkey.url }, databaseUrl })
      await until(async () => (await cacheStatus(late)).hears)
      assertProblem(await whoAmI(late, ada), 401, 'unauthenticated')
      await late.close()
    }
    assert.deepEqual(await snapshot(nodes.owner), earlier)
  })

  test('gives no role back', async () => {
    await nodes.owner.query(`select pie_private.grant_role('ada@example.com', 'admin')`)
    const ada = await addBrowser(nodes.owner, 'ada')
    const entry = await readShared(ada)
    await nodes.owner.query(`select pie_private.revoke_role('ada@example.com', 'admin')`)
    await untilAllHaveHeard()
    for (const played of [entry, newest(entry)]) {
      const { answer, isBelieved } = await plant(ada, 'SET', played)
      assert.deepEqual(answer.body.user.roles, ['viewer'])
      assert.ok(!isBelieved)
    }
  })

  test('gives no name back', async () => {
    const grace = await addBrowser(nodes.owner, 'grace')
    const entry = await readShared(grace)
    await nodes.owner.query(`update pie_schema.users set name = 'Grace' where name = 'grace'`)
    // The notice of a change that psql makes takes a moment, and two seconds at most.
    await until(
      async () => (await plant(grace, 'SET', entry)).answer.body.user.name === 'Grace',
      TRUST_MS,
    )
    const { answer, isBelieved } = await plant(grace, 'SET', entry)
    assert.equal(answer.body.user.name, 'Grace')
    assert.ok(!isBelieved)
  })
})
