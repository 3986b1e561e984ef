import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import pg from 'pg'
import { OperatorError } from '../../server/src/ground/errors.ts'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'
import { startTestPie } from '../harness/pie.ts'

const role = `attack_41_${process.pid}`
const password = 'only-for-this-test'

let database: TestDatabase
let owner: pg.Client
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
})
afterEach(async () => {
  await owner.query(`drop owned by ${role}; drop role ${role}`)
})
after(async () => {
  await owner.end()
  await database.drop()
})

function urlAs(user: string, secret: string): string {
  const url = new URL(database.url)
  url.username = user
  url.password = secret
  return url.href
}

/** Starts Pie with a login role of the operator's own, which should not go well. */
async function refusalWith(setting: string): Promise<string> {
  try {
    const settings = { [setting]: urlAs(role, password) }
    const started = await startTestPie({ databaseUrl: database.url, settings })
    await started.close()
  } catch (error) {
    assert.ok(error instanceof OperatorError, String(error))
    assert.equal(error.message.includes(password), false)
    return error.message
  }
  assert.fail('it started')
}

const unsafe = {
  superuser: { attributes: 'superuser noinherit', says: /is a superuser/ },
  'role that bypasses row-level security': {
    attributes: 'bypassrls noinherit',
    says: /bypasses row-level security/,
  },
  'role that inherits': { attributes: 'inherit', says: /inherits the rights of other roles/ },
  'role that may make roles': { attributes: 'createrole noinherit', says: /create ?role|roles/ },
  'role that may replicate': { attributes: 'replication noinherit', says: /replicat/ },
  'member of another role': {
    attributes: 'noinherit in role pg_read_all_data',
    says: /is a member of pg_read_all_data/,
  },
  'member of the owner': { attributes: 'noinherit', says: /is a member of/, owner: true },
  'role that may do nothing': { attributes: 'noinherit', says: /may not|cannot/ },
}

for (const setting of ['REQUEST_DATABASE_URL', 'AUTH_DATABASE_URL']) {
  describe(`Pie refuses to start when ${setting} names a`, () => {
    for (const [kind, { attributes, says, ...more }] of Object.entries(unsafe)) {
      test(kind, async () => {
        await owner.query(`create role ${role} login password '${password}' ${attributes}`)
        if ('owner' in more) await owner.query(`grant ${owner.user} to ${role}`)
        const message = await refusalWith(setting)
        assert.match(message, says)
        assert.ok(message.includes(role) && message.includes(setting), message)
      })
    }

    for (const [kind, owned] of [
      ['table', 'table pie_schema.users'],
      ['function', 'function pie_schema.current_user_id()'],
      ['schema', 'schema pie_private'],
    ]) {
      test(`role that owns a ${kind} of Pie’s`, async () => {
        await owner.query(`create role ${role} login password '${password}' noinherit`)
        await owner.query(`alter ${owned} owner to ${role}`)
        try {
          assert.match(await refusalWith(setting), /owns/)
        } finally {
          await owner.query(`alter ${owned} owner to ${owner.user}`)
        }
      })
    }
  })
}
