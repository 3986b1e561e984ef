import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openPeopledDatabase, type PeopledDatabase, type Person } from './people.ts'
import { assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

const userVersion = async ({ id }: Person): Promise<number> =>
  Number(
    (await db.owner.query('select version from pie_schema.users where id = $1', [id])).rows[0]
      .version,
  )
const sessionVersion = async ({ session }: Person): Promise<number> =>
  Number(
    (await db.owner.query('select version from pie_private.sessions where id = $1', [session.id]))
      .rows[0].version,
  )

test("a user's version grows by one with every change, whoever makes it", async () => {
  const start = await userVersion(db.ada)
  await db.request(db.ada, `update pie_schema.users set name = 'Ada'`)
  assert.equal(await userVersion(db.ada), start + 1)
  await db.request(db.dorothy, `update pie_schema.users set name = 'Ada L.' where id = $1`, [
    db.ada.id,
  ])
  assert.equal(await userVersion(db.ada), start + 2)
  await db.owner.query(`update pie_schema.users set name = 'Ada' where id = $1`, [db.ada.id])
  assert.equal(await userVersion(db.ada), start + 3)
})

test('a change that changes nothing counts as one: no cache may think that it missed none', async () => {
  const start = await userVersion(db.ada)
  await db.owner.query('update pie_schema.users set name = name where id = $1', [db.ada.id])
  assert.equal(await userVersion(db.ada), start + 1)
})

test('a change of one user leaves the version of the others', async () => {
  const start = await userVersion(db.grace)
  await db.request(db.ada, `update pie_schema.users set name = 'Ada'`)
  assert.equal(await userVersion(db.grace), start)
})

test('no version is set back or ahead, by whatever the change says', async () => {
  const start = await userVersion(db.ada)
  await db.owner.query('update pie_schema.users set version = 1 where id = $1', [db.ada.id])
  await db.owner.query('update pie_schema.users set version = 1000000 where id = $1', [db.ada.id])
  assert.equal(await userVersion(db.ada), start + 2)
  const session = await sessionVersion(db.ada)
  await db.owner.query('update pie_private.sessions set version = 0 where id = $1', [
    db.ada.session.id,
  ])
  assert.equal(await sessionVersion(db.ada), session + 1)
  await assertRefused(db.owner, insufficientPrivilege, () =>
    db.request(db.ada, 'update pie_schema.users set version = 99'),
  )
})

test('the time of the last change is when the changing transaction began', async () => {
  await db.owner.query('begin')
  await db.owner.query(
    `update pie_schema.users set name = 'Ada', updated_at = '2000-01-01' where id = $1`,
    [db.ada.id],
  )
  const { rows } = await db.owner.query(
    'select updated_at = now() as is_now from pie_schema.users where id = $1',
    [db.ada.id],
  )
  await db.owner.query('commit')
  assert.equal(rows[0].is_now, true)
})

test("a session's version grows by one with a refresh, a revocation, and a disabled user", async () => {
  const auth = await db.connectAs('pie_auth')
  const { session } = db.grace
  const start = await sessionVersion(db.grace)
  await auth.query(
    `select * from pie_private.refresh_session($1, $2, 0, '1 hour', '30 seconds', null)`,
    [session.id, [session.proof]],
  )
  assert.equal(await sessionVersion(db.grace), start + 1)
  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [
    db.grace.id,
  ])
  assert.equal(await sessionVersion(db.grace), start + 2)
})

test('of changes at once each counts', async () => {
  const start = await userVersion(db.ada)
  const clients = await Promise.all(Array.from({ length: 8 }, () => db.connectAs('cream')))
  const { id, proof } = db.ada.session
  const rename = `select pie_private.authenticate('${id}', '\\x${proof.toString('hex')}');
    update pie_schema.users set name = 'Ada'`
  await Promise.all(clients.map((client) => client.query(rename)))
  assert.equal(await userVersion(db.ada), start + 8)
})
