/** What is over is deleted in batches; what may still act, or be renewed, never. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import type pg from 'pg'
import { addSession, openPeopledDatabase, type PeopledDatabase } from './people.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const clean = async (what: string, most = 100, client = auth): Promise<number> =>
  (await client.query(`select pie_private.${what}($1) as count`, [most])).rows[0].count

describe('sessions', () => {
  beforeEach(() => db.owner.query('delete from pie_private.sessions'))

  const add = async (assignments: string, kind: 'browser' | 'token' = 'browser') => {
    const { id } = await addSession(db.owner, db.ada.id, '1 hour', kind)
    await db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [id])
    return id
  }
  const left = async (): Promise<string[]> =>
    (await db.owner.query('select id from pie_private.sessions')).rows.map(({ id }) => id)

  const revoked = (interval: string) =>
    `revoked_at = now() - interval '${interval}', revoked_reason = 'logout'`
  const limited = (interval: string) =>
    `absolute_expires_at = now() - interval '${interval}', expires_at = now() - interval '${interval}'`

  const staying: [string, string][] = [
    ['one in use', 'version = version'],
    ['one that was revoked within the week', revoked('6 days 23 hours')],
    ['one that came to its limit within the week', limited('6 days 23 hours')],
    [
      'one that has expired, which a setting may let be renewed',
      `expires_at = now() - interval '29 days'`,
    ],
  ]
  for (const [what, assignments] of staying) {
    test(`${what} stays`, async () => {
      const ids = [await add(assignments), await add(assignments, 'token')]
      assert.equal(await clean('delete_ended_sessions'), 0)
      assert.deepEqual((await left()).sort(), ids.sort())
    })
  }

  test('one that ended over a week ago goes, however it did', async () => {
    await add(revoked('7 days 1 hour'))
    await add(revoked('7 days 1 hour'), 'token')
    await add(limited('7 days 1 hour'))
    await add(`${limited('8 days')}, ${revoked('9 days')}`)
    assert.equal(await clean('delete_ended_sessions'), 4)
    assert.deepEqual(await left(), [])
  })

  test('the batch is no larger than it was asked to be, and the longest over goes first', async () => {
    const last = await add(revoked('8 days'))
    for (const ago of ['10 days', '12 days', '11 days']) await add(revoked(ago))
    assert.equal(await clean('delete_ended_sessions', 3), 3)
    assert.deepEqual(await left(), [last])
    assert.equal(await clean('delete_ended_sessions', 3), 1)
    assert.equal(await clean('delete_ended_sessions', 3), 0)
  })

  /** Sessions of which each was renewed by the next. */
  async function addLine(length: number, of: string): Promise<string[]> {
    const ids = Array.from({ length }, () => randomUUID())
    await db.owner.query(
      `insert into pie_private.sessions (id, user_id, kind, proof_hash, expires_at, absolute_expires_at, methods)
       select id, $2, 'browser', sha256('x'), now() - interval '1 hour', now() + interval '1 day', '{pwd}'
       from unnest($1::uuid[]) as id`,
      [ids, db.ada.id],
    )
    await db.owner.query(
      `update pie_private.sessions set successor_id = next.id
       from unnest($1::uuid[], $2::uuid[]) as next (earlier, id) where sessions.id = next.earlier`,
      [ids.slice(0, -1), ids.slice(1)],
    )
    await db.owner.query(`update pie_private.sessions set ${of} where id = $1`, [ids.at(-1)])
    return ids
  }

  test('none goes whose successor may still act', async () => {
    const ids = await addLine(3, `expires_at = now() + interval '1 hour'`)
    await db.owner.query(
      `update pie_private.sessions set ${revoked('30 days')} where id = any ($1)`,
      [ids.slice(0, 2)],
    )
    // The first goes, because what followed it is over as well; the second is what the third was.
    await clean('delete_ended_sessions')
    assert.deepEqual((await left()).sort(), ids.slice(1).sort())
  })

  test('what was renewed by one that has ended goes with it: none becomes renewable again', async () => {
    await addLine(4, revoked('8 days'))
    assert.equal(await clean('delete_ended_sessions'), 4)
    assert.deepEqual(await left(), [])
  })

  test('a line of thousands is taken from its beginning, batch by batch', async () => {
    const ids = await addLine(5_000, revoked('8 days'))
    assert.equal(await clean('delete_ended_sessions', 1_000), 1_000)
    const rest = new Set(await left())
    assert.deepEqual(
      ids.filter((id) => rest.has(id)),
      ids.slice(1_000),
    )
    for (let batch = 0; batch < 4; batch++) await clean('delete_ended_sessions', 1_000)
    assert.deepEqual(await left(), [])
  })

  test('a batch waits for nobody, and takes no line apart that somebody holds a part of', async () => {
    const held = await add(revoked('8 days'))
    const free = await add(revoked('8 days'))
    const line = await addLine(3, revoked('8 days'))
    await db.owner.query('begin')
    try {
      await db.owner.query('select from pie_private.sessions where id = any ($1) for update', [
        [held, line[0]],
      ])
      await auth.query(`set statement_timeout = '5s'`)
      assert.equal(await clean('delete_ended_sessions'), 1)
    } finally {
      await db.owner.query('rollback')
      await auth.query('reset statement_timeout')
    }
    assert.deepEqual((await left()).sort(), [held, ...line].sort())
    assert.ok(!(await left()).includes(free))
    assert.equal(await clean('delete_ended_sessions'), 4)
  })

  test('however many lines somebody holds a part of, and however long they are over, the others go', async () => {
    const heldLines = await Promise.all(
      Array.from({ length: 30 }, (_, index) => addLine(index % 2 ? 2 : 3, revoked('30 days'))),
    )
    // Also a line whose every session was revoked, and one that came to its limit.
    const allRevoked = await addLine(20, revoked('31 days'))
    await db.owner.query(
      `update pie_private.sessions set ${revoked('32 days')} where id = any ($1)`,
      [allRevoked],
    )
    const atLimit = await addLine(3, limited('30 days'))
    const held = [...heldLines, allRevoked, atLimit]
    const free: string[] = []
    for (let count = 0; count < 12; count++) free.push(await add(revoked('20 days')))
    for (let count = 0; count < 12; count++) free.push(await add(limited('20 days')))
    free.push(...(await addLine(6, revoked('10 days'))))
    await db.owner.query('begin')
    try {
      const links = held.map((line, index) => line[index % 2 ? 0 : line.length - 2])
      await db.owner.query('select from pie_private.sessions where id = any ($1) for update', [
        links,
      ])
      await auth.query(`set statement_timeout = '5s'`)
      let sum = 0
      for (let deleted = -1; deleted !== 0; sum += deleted)
        deleted = await clean('delete_ended_sessions', 5)
      assert.equal(sum, free.length)
      assert.deepEqual((await left()).sort(), held.flat().sort())
    } finally {
      await db.owner.query('rollback')
      await auth.query('reset statement_timeout')
    }
    assert.equal(await clean('delete_ended_sessions', 1_000), held.flat().length)
  })

  test('several at once take different ones, and all of them', async () => {
    for (let count = 0; count < 60; count++) await add(revoked('8 days'))
    await addLine(40, revoked('8 days'))
    const clients = await Promise.all(Array.from({ length: 4 }, () => db.connectAs('pie_auth')))
    const counts = await Promise.all(
      clients.map(async (client) => {
        let sum = 0
        for (let batch = 0; batch < 20; batch++)
          sum += await clean('delete_ended_sessions', 10, client)
        return sum
      }),
    )
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      100,
    )
    assert.deepEqual(await left(), [])
  })

  test('nothing is announced of what was over, so that no node is flooded', async () => {
    const heard: string[] = []
    const listener = await db.connectAs('owner')
    listener.on('notification', ({ payload }) => void heard.push(payload ?? ''))
    await listener.query('listen pie_cache')
    for (let count = 0; count < 10; count++)
      await add(count % 2 ? revoked('8 days') : limited('8 days'))
    heard.length = 0
    await listener.query('select')
    heard.length = 0
    assert.equal(await clean('delete_ended_sessions'), 10)
    await listener.query('select')
    assert.deepEqual(heard, [])
  })

  test('being seen and refreshed writes to no index still', async () => {
    const id = await add('version = version')
    const { rows } = await db.owner.query(
      `select pg_get_indexdef(indexrelid) as definition from pg_index
       where indrelid = 'pie_private.sessions'::regclass`,
    )
    assert.ok(rows.length >= 5)
    for (const { definition } of rows)
      assert.doesNotMatch(
        definition.replace(/^.* ON /, '').replaceAll('absolute_expires_at', ''),
        /expires_at|last_seen_at|version|proof_hash|refresh/,
        id,
      )
  })

  test('they are found by their index, among ten thousand that are in use', async () => {
    await db.owner.query(
      `insert into pie_private.sessions (id, user_id, kind, proof_hash, expires_at, absolute_expires_at, methods)
       select gen_random_uuid(), $1, 'token', sha256('x'), now() + interval '1 hour', now() + interval '1 day', '{pwd}'
       from generate_series(1, 10000)`,
      [db.ada.id],
    )
    await db.owner.query('analyze pie_private.sessions')
    await add(revoked('8 days'))
    await add(limited('8 days'))
    const before = await sequentialReads()
    const client = await db.connectAs('pie_auth')
    assert.equal(await clean('delete_ended_sessions', 100, client), 2)
    await client.query('select pg_stat_force_next_flush()')
    await client.end()
    assert.equal(await sequentialReads(), before)
  })

  async function sequentialReads(): Promise<number> {
    await db.owner.query('select pg_stat_force_next_flush()')
    await db.owner.query('select pg_stat_clear_snapshot()')
    const { rows } = await db.owner.query(
      `select seq_scan::int as count from pg_stat_user_tables where relid = 'pie_private.sessions'::regclass`,
    )
    return rows[0].count
  }
})

describe('buckets and tokens', () => {
  test('buckets that ran empty over an hour ago go, the others stay', async () => {
    await db.owner.query('delete from pie_private.throttles')
    await db.owner.query(
      `insert into pie_private.throttles select 'old:' || n, now() - interval '61 minutes' from generate_series(1, 5) as n`,
    )
    await db.owner.query(
      `insert into pie_private.throttles values ('new:1', now() - interval '59 minutes'), ('full:1', now() + interval '1 minute')`,
    )
    assert.equal(await clean('delete_empty_throttles', 3), 3)
    assert.equal(await clean('delete_empty_throttles', 3), 2)
    assert.equal(await clean('delete_empty_throttles', 3), 0)
    const { rows } = await db.owner.query('select key from pie_private.throttles order by key')
    assert.deepEqual(rows, [{ key: 'full:1' }, { key: 'new:1' }])
  })

  test('tokens that expired over an hour ago go; the others, used once, stay used', async () => {
    const use = async (token: Buffer, expires: string) =>
      (
        await auth.query(
          'select pie_private.use_csrf_token($1, now() + $2::interval) as is_first',
          [token, expires],
        )
      ).rows[0].is_first
    const [recent, future] = [randomBytes(32), randomBytes(32)]
    await use(randomBytes(32), '-61 minutes')
    await use(recent, '-59 minutes')
    await use(future, '1 hour')
    assert.equal(await clean('delete_used_csrf_tokens'), 1)
    assert.deepEqual(
      [await use(recent, '-59 minutes'), await use(future, '1 hour')],
      [false, false],
    )
  })

  test('nor do those that somebody holds keep others from being deleted', async () => {
    const tables = {
      delete_empty_throttles: ['throttles', 'empty_at'],
      delete_used_csrf_tokens: ['used_csrf_tokens', 'expires_at'],
      delete_forgotten_networks: ['known_networks', 'last_seen_at'],
    } as const
    for (const table of ['throttles', 'used_csrf_tokens', 'known_networks'])
      await db.owner.query(`delete from pie_private.${table}`)
    await db.owner.query(
      `insert into pie_private.throttles select 'many:' || n, now() - n * interval '1 day' from generate_series(101, 130) as n`,
    )
    await db.owner.query(
      `insert into pie_private.used_csrf_tokens (token_hash, expires_at)
       select sha256(n::text::bytea), now() - n * interval '1 day' from generate_series(101, 130) as n`,
    )
    await db.owner.query(
      `insert into pie_private.known_networks (user_id, network, last_seen_at)
       select $1, n::text, now() - n * interval '1 day' from generate_series(101, 130) as n`,
      [db.ada.id],
    )
    await db.owner.query('begin')
    try {
      for (const [table, since] of Object.values(tables))
        await db.owner.query(
          `select from pie_private.${table} order by ${since} limit 20 for update`,
        )
      for (const what of Object.keys(tables)) {
        assert.equal(await clean(what, 5), 5, what)
        assert.equal(await clean(what, 5), 5, what)
        assert.equal(await clean(what, 5), 0, what)
      }
    } finally {
      await db.owner.query('rollback')
    }
  })

  test('none of it waits for whoever holds a row', async () => {
    await db.owner.query(
      `insert into pie_private.throttles values ('held:1', now() - interval '2 hours')`,
    )
    await auth.query(`select pie_private.use_csrf_token($1, now() - interval '2 hours')`, [
      randomBytes(32),
    ])
    await db.owner.query(
      `update pie_private.known_networks set last_seen_at = now() - interval '100 days'`,
    )
    await db.owner.query('begin')
    try {
      for (const table of ['throttles', 'used_csrf_tokens', 'known_networks'])
        await db.owner.query(`select from pie_private.${table} for update`)
      await auth.query(`set statement_timeout = '5s'`)
      for (const what of [
        'delete_empty_throttles',
        'delete_used_csrf_tokens',
        'delete_forgotten_networks',
      ])
        assert.equal(await clean(what), 0)
    } finally {
      await db.owner.query('rollback')
      await auth.query('reset statement_timeout')
    }
  })
})
