/** Changes that send no notice, because somebody has switched triggers off: an entry has a greatest age. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testKeys } from '../../database/test/people.ts'
import { signOperatorToken } from '../../server/src/features/operations/operator-token.ts'
import { GREATEST_AGE_MS } from '../../server/src/ground/cache/protocol.ts'
import { createClock } from '../../server/src/ground/clock.ts'
import { addBrowser, type Browser, until, whoAmI } from '../harness/nodes.ts'
import { startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
/** How far its clock was moved. */
let passedMs = 0
before(async () => {
  pie = await startTestPie()
  await until(hears)
})
after(() => pie.close())

async function cacheStatus(): Promise<{ hears: boolean; hits: number }> {
  const clock = createClock(() => new Date(Date.now() + passedMs))
  const token = signOperatorToken({ keys: [testKeys], clock })
  return (await pie.request('/health/cache', { token })).body
}
const hears = async () => (await cacheStatus()).hears

function passAge(): void {
  pie.passSeconds(GREATEST_AGE_MS / 1_000)
  passedMs += GREATEST_AGE_MS
}

const statusOf = async (browser: Browser) => (await whoAmI(pie, browser)).status
const remove = ({ sessionId }: Browser) =>
  pie.owner.query('delete from pie_private.sessions where id = $1', [sessionId])

/** Is answered once without Postgres. */
const cache = (browser: Browser) =>
  until(async () => {
    const { hits } = await cacheStatus()
    assert.equal(await statusOf(browser), 200)
    return (await cacheStatus()).hits > hits
  })

const silently: Record<string, { begin: string; end: string }> = {
  'with all triggers disabled': {
    begin: 'alter table pie_private.sessions disable trigger all',
    end: '',
  },
  'with the triggers for sessions of replication alone': {
    begin: 'alter table pie_private.sessions enable replica trigger sessions_announce_deletion',
    end: '',
  },
  'in a session of replication, with ordinary triggers': {
    begin:
      'alter table pie_private.sessions enable trigger sessions_announce_deletion; set session_replication_role = replica',
    end: 'set session_replication_role = origin',
  },
}
const putRight =
  'alter table pie_private.sessions enable trigger all; alter table pie_private.sessions enable always trigger sessions_announce_deletion'

describe('a session that is deleted without a notice', () => {
  for (const [how, { begin, end }] of Object.entries(silently))
    test(`is refused after a minute: ${how}`, async () => {
      const browser = await addBrowser(pie.owner, 'ada')
      await cache(browser)
      await pie.owner.query(begin)
      try {
        await remove(browser)
      } finally {
        await pie.owner.query(end)
        await pie.owner.query(putRight)
      }
      assert.equal(await statusOf(browser), 200)
      passAge()
      // Its clock was moved: it asks Postgres each time, until it hears again. Only what it has kept is meant here.
      await until(hears)
      assert.equal(await statusOf(browser), 401)
    })

  test('is refused as soon as a visit finds nothing', async () => {
    const browser = await addBrowser(pie.owner, 'ada')
    await pie.owner.query(
      `update pie_private.sessions set last_seen_at = now() - interval '10 minutes' where id = $1`,
      [browser.sessionId],
    )
    await pie.owner.query('begin')
    try {
      // Lets readers in, and holds up whoever writes, such as a visit.
      await pie.owner.query('alter table pie_private.sessions disable trigger all')
      await cache(browser)
      await remove(browser)
      await pie.owner.query('commit')
    } finally {
      await pie.owner.query('rollback')
      await pie.owner.query(putRight)
    }
    await until(async () => (await statusOf(browser)) === 401)
  })
})
