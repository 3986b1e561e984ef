import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  addPerson,
  credentialOf,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../../../database/test/people.ts'
import { assertNothingChanges } from '../../../../database/test/refusals.ts'
import { startTcpProxy, type TcpProxy } from '../../../../test/harness/tcp-proxy.ts'
import { Refusal } from '../errors.ts'
import { type SessionTransaction, withSession } from './with-session.ts'

let db: PeopledDatabase
let proxy: TcpProxy
/** As an application makes it; one connection, so that whatever is left on it meets the next. */
let pool: pg.Pool
/** What was sent towards Postgres, one text for each time that something was. */
const sent: string[] = []
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(
    `create table public.notes (author uuid default pie_schema.current_user_id(), body text unique);
     grant select, insert on public.notes to webuser`,
  )
  proxy = await startTcpProxy(db.url, (text) => void sent.push(text))
  pool = new pg.Pool({ connectionString: proxy.through(db.urlOf('cream').revealText()), max: 1 })
  pool.on('error', () => {})
})
after(async () => {
  await pool?.end()
  await proxy?.close()
  await db?.close()
})

const asAda = <T>(work: (tx: SessionTransaction) => Promise<T>) =>
  withSession(pool, credentialOf(db.ada), work)
const write = (tx: SessionTransaction, body: string) =>
  tx.query('insert into public.notes (body) values ($1)', [body])
const whoAmI = async (tx: SessionTransaction) =>
  (await tx.query('select pie_schema.current_user_id() as id, current_user::text as role')).rows[0]

/** The next user of the connection is who they are, and nothing more. */
async function assertConnectionIsClean(): Promise<void> {
  const grace = await withSession(pool, credentialOf(db.grace), whoAmI)
  assert.deepEqual(grace, { id: db.grace.id, role: 'webuser' })
  const { rows } = await pool.query(
    `select current_user::text as role, coalesce(current_setting('pie.session_id', true), '') as session`,
  )
  assert.deepEqual(rows, [{ role: 'cream', session: '' }])
}

const code = (wanted: string) => (error: unknown) =>
  (error instanceof Refusal || error instanceof pg.DatabaseError) && error.code === wanted

test('queries run as the session, see what the ones before have done, and are kept together', async () => {
  const seen = await asAda(async (tx) => {
    await write(tx, 'first')
    const { rows, rowCount } = await tx.query<{ body: string }>({
      text: 'select body from public.notes where author = $1',
      values: [db.ada.id],
    })
    assert.equal(rowCount, 1)
    await write(tx, `after ${rows[0]?.body}`)
    return whoAmI(tx)
  })
  assert.deepEqual(seen, { id: db.ada.id, role: 'webuser' })
  const { rows } = await db.owner.query('select author, body from public.notes order by body')
  assert.deepEqual(rows, [
    { author: db.ada.id, body: 'after first' },
    { author: db.ada.id, body: 'first' },
  ])
  await assertConnectionIsClean()
})

test('the proof goes with the first query, and the commit is one round trip more', async () => {
  await asAda(whoAmI)
  sent.length = 0
  await asAda(whoAmI)
  assert.equal(sent.length, 2)
  assert.match(sent[0] ?? '', /begin.*authenticate.*current_user_id/s)
  assert.match(sent[1] ?? '', /commit/)
})

test('queries that are asked at once all run', async () => {
  const answers = await asAda((tx) => Promise.all([whoAmI(tx), whoAmI(tx), whoAmI(tx)]))
  assert.deepEqual(answers, Array(3).fill({ id: db.ada.id, role: 'webuser' }))
})

test('rows come as pg brings them, in arrays too where that is asked for', async () => {
  const { rows } = await asAda((tx) =>
    tx.query({
      text: "select 1 as one, '{2}'::int[] as two, now() as now",
      rowMode: 'array',
    } as never),
  )
  const [one, two, now] = rows[0] as unknown as unknown[]
  assert.deepEqual([one, two, now instanceof Date], [1, [2], true])
})

test('a session that may not act runs nothing, also where the work asks nothing or looks away', async () => {
  const forged = { sessionId: db.ada.session.id, proofs: [guessedProof()] }
  const works: ((tx: SessionTransaction) => Promise<unknown>)[] = [
    (tx) => write(tx, 'forged'),
    async () => 'asked nothing',
    (tx) => write(tx, 'forged').catch(() => 'looked away'),
    (tx) => Promise.allSettled([write(tx, 'forged'), write(tx, 'forged again')]),
  ]
  await assertNothingChanges(db.owner, async () => {
    for (const work of works)
      await assert.rejects(withSession(pool, forged, work), code('unauthenticated'))
  })
  await assertConnectionIsClean()
})

test('one that is revoked between two requests is refused at the second', async () => {
  const lise = await addPerson(db.owner, 'lise')
  await withSession(pool, credentialOf(lise), whoAmI)
  await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
    [lise.session.id],
  )
  await assert.rejects(withSession(pool, credentialOf(lise), whoAmI), code('unauthenticated'))
})

test('while SECRET_KEY changes, a proof of any of its keys is taken', async () => {
  const { session } = db.grace
  const credential = { sessionId: session.id, proofs: [guessedProof(), session.proof] }
  assert.deepEqual(await withSession(pool, credential, whoAmI), {
    id: db.grace.id,
    role: 'webuser',
  })
})

test('nothing is kept when the work rejects, whatever it has done', async () => {
  const reason = new Error('changed my mind')
  await assertNothingChanges(db.owner, async () => {
    const works: ((tx: SessionTransaction) => Promise<unknown>)[] = [
      async (tx) => {
        await write(tx, 'lost')
        throw reason
      },
      async () => {
        throw reason
      },
    ]
    for (const work of works) await assert.rejects(asAda(work), (error) => error === reason)
  })
  await assertConnectionIsClean()
})

test('what a statement raises is what pg raises, and keeps nothing', async () => {
  await assertNothingChanges(db.owner, async () => {
    const failing = asAda(async (tx) => {
      await write(tx, 'lost')
      await write(tx, 'lost')
    })
    await assert.rejects(failing, code('23505'))
    await assert.rejects(
      asAda((tx) => tx.query('selekt')),
      code('42601'),
    )
  })
  await assertConnectionIsClean()
})

test('work that goes on regardless of a failed statement is told that nothing was kept', async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      asAda(async (tx) => {
        await write(tx, 'lost')
        await tx.query('select 1 / 0').catch(() => {})
      }),
      /Nothing was kept/,
    ),
  )
  await assertConnectionIsClean()
})

test('a savepoint lets it go on', async () => {
  await asAda(async (tx) => {
    await tx.query('savepoint attempt')
    await tx.query('select 1 / 0').catch(() => tx.query('rollback to attempt'))
    await write(tx, 'kept after a savepoint')
  })
  const { rowCount } = await db.owner.query(
    "select from public.notes where body = 'kept after a savepoint'",
  )
  assert.equal(rowCount, 1)
})

test('work that means to end its transaction is told to leave that to it', async () => {
  for (const end of ['commit', ' ROLLBACK', 'begin', 'start transaction', 'end', 'abort']) {
    await assertNothingChanges(db.owner, () =>
      assert.rejects(
        asAda(async (tx) => {
          await write(tx, 'lost')
          await tx.query(end)
        }),
        /inside a transaction already/,
      ),
    )
  }
  await assertConnectionIsClean()
})

test('work that ends its transaction all the same is nobody from then on, and told so', async () => {
  for (const end of ['/**/commit', '/**/rollback']) {
    await assert.rejects(
      asAda(async (tx) => {
        await tx.query(end)
        await assert.rejects(write(tx, 'afterwards'), code('42501'))
      }),
      /ended its transaction itself/,
    )
    await assertConnectionIsClean()
  }
})

test('never more than one statement: what comes behind a semicolon is refused', async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      asAda((tx) =>
        tx.query("select 1; commit; reset role; insert into public.notes values (null, 'x')"),
      ),
      code('42601'),
    ),
  )
  await assertConnectionIsClean()
})

test('a query after the end never reaches a connection that may be somebody else’s', async () => {
  let late: SessionTransaction | undefined
  await asAda(async (tx) => {
    late = tx
    await whoAmI(tx)
  })
  await assertNothingChanges(db.owner, () =>
    assert.rejects(write(late as SessionTransaction, 'late'), /This transaction is over/),
  )
})

test('a value that cannot be sent is an error of the caller, and the pool goes on', async () => {
  const circle: Record<string, unknown> = {}
  circle['circle'] = circle
  await assert.rejects(
    asAda((tx) => tx.query('select $1::json', [circle])),
    TypeError,
  )
  await assertConnectionIsClean()
})

test('one that exceeds statement_timeout, or is cancelled, is a clear refusal that keeps nothing', async () => {
  await assertNothingChanges(db.owner, async () => {
    const slow = asAda(async (tx) => {
      await write(tx, 'lost')
      await tx.query("select set_config('statement_timeout', '100ms', true)")
      await tx.query('select pg_sleep(60)')
    })
    await assert.rejects(slow, code('timeout'))
    await assertConnectionIsClean()

    const cancelled = asAda(async (tx) => {
      await write(tx, 'lost')
      await tx.query('select pg_sleep(60)')
    })
    const cancel = async () => {
      for (let count = 0; count === 0; await sleep(20)) {
        const { rows } = await db.owner.query(
          `select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and usename = 'cream'
             and datname = current_database()`,
        )
        count = rows.length
      }
    }
    await Promise.all([assert.rejects(cancelled, code('timeout')), cancel()])
  })
  await assertConnectionIsClean()
})

test('a connection that breaks halfway keeps nothing, and the next request has another', async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      asAda(async (tx) => {
        await write(tx, 'lost')
        proxy.cut()
        await write(tx, 'lost too')
      }),
      code('database_unavailable'),
    ),
  )
  await assertConnectionIsClean()
})

test('what is left on a connection for the next is closed with it', async () => {
  const [creamPid] = (await pool.query('select pg_backend_pid() as pid')).rows
  await asAda((tx) => tx.query("prepare authenticate as select 'stolen'"))
  await assertConnectionIsClean()
  const [nextPid] = (await pool.query('select pg_backend_pid() as pid')).rows
  assert.notDeepEqual(nextPid, creamPid)

  await asAda((tx) =>
    tx.query(
      "select set_config('search_path', 'public', false), set_config('role', 'webadmin', false)",
    ),
  )
  await assertConnectionIsClean()
})

test('what a function has left there unseen makes the next request take another connection', async () => {
  await db.owner.query(`
    create function public.plant() returns void language plpgsql as
      $$ begin execute 'prepare planted as select 1'; end $$;
    grant execute on function public.plant() to webuser`)
  await asAda((tx) => tx.query('select public.plant()'))
  await assertConnectionIsClean()
})

test('a database that cannot be reached is a refusal that says so', async () => {
  const nowhere = new pg.Pool({ connectionString: 'postgres://cream@127.0.0.1:1/none' })
  await assert.rejects(
    withSession(nowhere, credentialOf(db.ada), whoAmI),
    code('database_unavailable'),
  )
  await nowhere.end()
})
