/** A request that nobody waits for any more, or that takes what all have, is ended: SQL from a hole sets its timeouts itself. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import {
  authenticate,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../../../database/test/people.ts'
import { until } from '../../../../test/harness/nodes.ts'
import { checkPrimary } from './check-primary.ts'
import { stateOf } from './connection-state.ts'
import { type EndedRequest, endRequests } from './end-holders.ts'
import { givenUpBackends } from './given-up.ts'
import { cutOff } from './lost-connection.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const pidOf = (client: pg.Client): number => (client as unknown as { processID: number }).processID

/** As a node looks. */
async function look(seconds: number, givenUp: string[] = []): Promise<EndedRequest[]> {
  const statement = endRequests(seconds, givenUp)
  const { rows } = await auth.query<EndedRequest>({ ...statement, values: [...statement.values] })
  return rows
}

const ended = (client: pg.Client, reason: string): EndedRequest[] => [
  { pid: pidOf(client), login: 'cream', reason, has_ended: true } as EndedRequest,
]

async function begin(client: pg.Client): Promise<void> {
  await client.query('begin')
  await authenticate(client, db.ada.session)
  await client.query(`select set_config(name, '0', true) from pg_settings where name in
    ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'lock_timeout')`)
}

const untilGone = (pid: number): Promise<void> =>
  until(
    async () =>
      (await db.owner.query('select from pg_stat_activity where pid = $1', [pid])).rowCount === 0,
  )

const secondsOf = async (client: pg.Client): Promise<number> =>
  Number(
    (
      await db.owner.query(
        'select extract(epoch from clock_timestamp() - state_change) as seconds from pg_stat_activity where pid = $1',
        [pidOf(client)],
      )
    ).rows[0].seconds,
  )

test('what a node has given up while Postgres is at work on it is ended, and nothing else', async () => {
  const [given, other] = [await db.connectAs('cream'), await db.connectAs('cream')]
  const looked = { settings: {}, mustWrite: false, isHelped: true, lineage: null }
  for (const client of [given, other]) {
    client.on('error', () => {})
    await checkPrimary(client, looked)
    await begin(client)
  }
  const sleeping = [given, other].map((client) =>
    client.query('select pg_sleep(3600)').catch(() => {}),
  )
  await until(async () => (await secondsOf(other)) < 3_600)
  cutOff(given)
  await sleeping[0]
  assert.deepEqual(givenUpBackends(), [stateOf(given).backend])
  assert.deepEqual(await look(3_600, givenUpBackends()), ended(given, 'given up'))
  await untilGone(pidOf(given))
  // A number that is given again is another's.
  const [pid, began] = String(stateOf(other).backend).split(' ')
  assert.deepEqual(await look(3_600, [`${pid} ${Number(began) - 1}`]), [])
  assert.deepEqual(await look(3_600, [String(stateOf(other).backend)]), ended(other, 'given up'))
})

test('what stands behind a pooler in transaction mode is not ended by its number', async () => {
  const client = await db.connectAs('cream')
  await checkPrimary(client, { settings: {}, mustWrite: false, isHelped: true, lineage: null })
  stateOf(client).poolMode = 'transaction'
  cutOff(client)
  assert.ok(!givenUpBackends().includes(String(stateOf(client).backend)))
})

for (const [what, sql] of [
  ['a statement', 'select pg_sleep(3600)'],
  ['a pause inside a transaction', 'select 1'],
  ['a pause after something failed', 'select 1 / 0'],
] as const)
  test(`${what} that lasts for longer than any should is ended`, async () => {
    const client = await db.connectAs('cream')
    client.on('error', () => {})
    await begin(client)
    void client.query(sql).catch(() => {})
    await until(async () => (await secondsOf(client)) > 1)
    assert.deepEqual(await look(3_600), [])
    assert.deepEqual(await look(1), ended(client, 'time'))
    await untilGone(pidOf(client))
  })

test('a connection that waits for its next request, and who is no request, may take their time', async () => {
  const [idle, owner] = [await db.connectAs('cream'), await db.connectAs('owner')]
  await owner.query('begin')
  await until(async () => (await secondsOf(owner)) > 1 && (await secondsOf(idle)) > 1)
  assert.deepEqual(await look(1), [])
  await owner.query('rollback')
})
