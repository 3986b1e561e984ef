import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GraphQLSchema } from 'graphql'
import { openPeopledDatabase, type PeopledDatabase } from '../../../../database/test/people.ts'
import type { Database } from '../../ground/database/pool.ts'
import { createRoleSchemas } from './role-schemas.ts'

let db: PeopledDatabase
let requests: Database
before(async () => {
  db = await openPeopledDatabase()
  requests = db.openRequests(3)
  await db.owner.query(
    `create schema app; grant usage on schema app to webuser;
     create table app.notes (id int primary key, body text, hidden text);
     grant insert (body), select on app.notes to webadmin`,
  )
})
after(() => db.close())

const fieldsOf = (schema: GraphQLSchema, type: string): string[] => {
  const found = schema.getType(type)
  return found !== undefined && 'getFields' in found ? Object.keys(found.getFields()) : []
}

test('a schema is built once, also when several ask for it at the same time', async () => {
  const get = createRoleSchemas(requests, { schemas: ['app'], isWatching: false })
  const [one, other, admins] = await Promise.all([get('webuser'), get('webuser'), get('webadmin')])
  assert.equal(one, other)
  assert.equal(await get('webuser'), one)
  assert.notEqual(one, admins)
  assert.ok(!fieldsOf(one.schema, 'Query').includes('notes'))
  assert.ok(fieldsOf(admins.schema, 'Query').includes('notes'))
  assert.deepEqual(fieldsOf(admins.schema, 'NoteInput'), ['body'])
  await db.owner.query('alter table app.notes add column more text')
  assert.equal(await get('webadmin'), admins)
})

test('one that is watched is built anew when tables, grants, functions or comments change', async () => {
  const get = createRoleSchemas(requests, { schemas: ['app'], isWatching: true })
  let last = await get('webuser')
  assert.equal(await get('webuser'), last)
  for (const change of [
    'grant select on app.notes to webuser',
    'alter table app.notes add column watched text',
    `comment on column app.notes.watched is 'Seen.'`,
    'create function app.shout(word text) returns text language sql stable as $$ select upper(word) $$',
    'revoke select on app.notes from webuser',
    'create table app.others (id int primary key)',
  ]) {
    await db.owner.query(change)
    const next = await get('webuser')
    assert.notEqual(next, last, change)
    assert.equal(await get('webuser'), next)
    last = next
  }
  assert.ok(fieldsOf(last.schema, 'Query').includes('shout'))
})

test('one that could not be built is tried again', async () => {
  const get = createRoleSchemas(requests, { schemas: ['app'], isWatching: false })
  // What two schemas both have under one name, nothing tells apart.
  await db.owner.query(
    'create table app.users (id int primary key); grant select on app.users to webuser',
  )
  await assert.rejects(get('webuser'))
  await db.owner.query('drop table app.users')
  assert.ok(fieldsOf((await get('webuser')).schema, 'Query').includes('users'))
})
