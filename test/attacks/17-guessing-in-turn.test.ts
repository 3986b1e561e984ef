import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { until, untilWaiting } from '../harness/nodes.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
/** Holds a lock, as a slow sign-in would. */
let holder: pg.Client
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
  holder = new pg.Client({ connectionString: pie.databaseUrl })
  await holder.connect()
})
after(async () => {
  await holder.end()
  await pie.close()
})

/** So many that their passwords take longer than what is done meanwhile, and fewer than are turned away. */
const OTHERS = 60

const signIn = (password: string, email = 'ada@example.com') =>
  pie.request('/auth/login', { body: { email, password } })

/** Waits until attempts at so many accounts have been counted. */
const untilCounted = (count: number) =>
  until(async () => {
    const { rowCount } = await pie.owner.query(
      `select from pie_private.throttles where key like 'account-network:%'`,
    )
    return rowCount === count
  })

const holdNetwork = async () => {
  await holder.query('begin')
  await holder.query(`select from pie_private.throttles where key like 'network:%' for update`)
}

describe('counting attempts', () => {
  test('waits in one order: an attempt that begins and one that ends do not block each other', async () => {
    // Others' passwords are looked at first, so that the first attempt ends while the second begins.
    const others = Array.from({ length: OTHERS }, (_, index) =>
      signIn('a guess', `nobody${index}@example.com`),
    )
    await untilCounted(OTHERS)
    const ending = signIn(goodPassword)
    await untilCounted(OTHERS + 1)
    await holdNetwork()
    const beginning = signIn('a guess')
    await untilWaiting(pie.owner, 1)
    await untilWaiting(pie.owner, 2)
    await holder.query('commit')
    const statuses = [(await ending).status, (await beginning).status]
    await Promise.all(others)
    assert.deepEqual(statuses, [200, 401])
  })

  test('is not stopped by cleaning old buckets away, which waits for nobody', async () => {
    await pie.owner.query('delete from pie_private.throttles')
    await signIn('a guess')
    await pie.owner.query(`update pie_private.throttles set empty_at = now() - interval '2 hours'`)
    await holdNetwork()
    const returning = signIn(goodPassword)
    await untilWaiting(pie.owner, 1)
    const { rows } = await pie.owner.query(
      'select pie_private.delete_empty_throttles(100) as count',
    )
    // The other bucket is held by whoever signs in.
    assert.deepEqual(rows, [{ count: 1 }])
    await holder.query('commit')
    assert.equal((await returning).status, 200)
  })
})
