import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'
import { assertNothingChanges, assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

const change = async (verb: 'grant' | 'revoke', email: string, role: string) =>
  (await db.owner.query(`select pie_private.${verb}_role($1, $2) as is_user`, [email, role]))
    .rows[0].is_user

const rolesOf = async (id: string) =>
  (
    await db.owner.query('select role from pie_schema.user_roles where user_id = $1 order by 1', [
      id,
    ])
  ).rows.map(({ role }) => role)

test('a role is given and taken, each with a line in the log', async () => {
  assert.equal(await change('grant', db.ada.email, 'editor'), true)
  assert.deepEqual(await rolesOf(db.ada.id), ['editor', 'viewer'])
  assert.equal(await change('revoke', db.ada.email, 'editor'), true)
  assert.deepEqual(await rolesOf(db.ada.id), ['viewer'])
  const { rows } = await db.owner.query(
    `select event, detail from pie_private.audit_log where user_id = $1 and event like 'role.%' order by id`,
    [db.ada.id],
  )
  assert.deepEqual(rows, [
    { event: 'role.granted', detail: { role: 'editor' } },
    { event: 'role.revoked', detail: { role: 'editor' } },
  ])
})

test('giving or taking a role twice is the same as once', async () => {
  await assertNothingChanges(db.owner, async () => {
    assert.equal(await change('grant', db.dorothy.email, 'admin'), true)
    assert.equal(await change('revoke', db.dorothy.email, 'editor'), true)
  })
})

test('an address of nobody is false, a role that is not there an error, and nothing changes', async () => {
  await assertNothingChanges(db.owner, async () => {
    assert.equal(await change('grant', 'nobody@example.com', 'admin'), false)
    assert.equal(await change('revoke', 'nobody@example.com', 'admin'), false)
    assert.equal(await change('grant', db.ada.email.toUpperCase(), 'admin'), false)
  })
  await assertRefused(db.owner, '23503', () => change('grant', db.ada.email, 'emperor'))
})

test('an operator gives no role from inside a request, or as the server', async () => {
  const sql = `select pie_private.grant_role('ada@example.com', 'admin')`
  const auth = await db.connectAs('pie_auth')
  await assertRefused(db.owner, insufficientPrivilege, () => auth.query(sql))
  for (const person of [null, db.ada, db.dorothy])
    await assertRefused(db.owner, insufficientPrivilege, () => db.request(person, sql))
})

test('a role that is renamed is renamed where it is used, and one that is deleted is had by nobody', async () => {
  await change('grant', db.grace.email, 'editor')
  await db.owner.query(`update pie_schema.roles set name = 'author' where name = 'editor'`)
  assert.deepEqual(await rolesOf(db.grace.id), ['author', 'viewer'])
  await db.owner.query(`delete from pie_schema.roles where name = 'author'`)
  assert.deepEqual(await rolesOf(db.grace.id), ['viewer'])
})
