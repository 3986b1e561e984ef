import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'
import { assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

const limitAda = (scopes: string[] | null) =>
  db.owner.query('update pie_private.sessions set scopes = $2 where id = $1', [
    db.ada.session.id,
    scopes,
  ])

const hasScope = async (scope: string): Promise<boolean> =>
  (await db.request(db.ada, 'select pie_schema.has_scope($1) as has', [scope])).rows[0].has

test('a session without a limit has every scope', async () => {
  await limitAda(null)
  assert.equal(await hasScope('notes:read'), true)
})

test('a limited session has its scopes and no other, and one limited to nothing has none', async () => {
  await limitAda(['notes:read'])
  assert.equal(await hasScope('notes:read'), true)
  assert.equal(await hasScope('notes:write'), false)
  assert.equal(await hasScope('notes'), false)
  await limitAda([])
  assert.equal(await hasScope('notes:read'), false)
})

test('who has proven no session has none, whatever the settings claim', async () => {
  await limitAda(null)
  const cream = await db.connectAs('cream')
  await cream.query('begin; set local role webuser')
  await cream.query("select set_config('pie.session_id', $1, true)", [db.ada.session.id])
  const { rows } = await cream.query("select pie_schema.has_scope('notes:read') as has")
  await cream.query('rollback')
  assert.deepEqual(rows, [{ has: false }])
})

test('nobody but a request may ask', async () => {
  const auth = await db.connectAs('pie_auth')
  await assertRefused(db.owner, insufficientPrivilege, () =>
    auth.query("select pie_schema.has_scope('notes:read')"),
  )
})
