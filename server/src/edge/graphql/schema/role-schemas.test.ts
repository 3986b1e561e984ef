import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GraphQLSchema } from 'graphql'
import { openPeopledDatabase, type PeopledDatabase } from '../../../../../database/test/people.ts'
import { until } from '../../../../../test/harness/nodes.ts'
import type { Statement } from '../../../ground/database/pipeline.ts'
import type { Database } from '../../../ground/database/pool.ts'
import { Refusal } from '../../../ground/errors.ts'
import { createLog, type Log } from '../../../ground/log.ts'
import { readFingerprint } from '../catalog/read-fingerprint.ts'
import { createRoleSchemas } from './role-schemas.ts'

let db: PeopledDatabase
let requests: Database
const log = createLog('silent', false)
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
  const { get } = createRoleSchemas({ requests, log }, { schemas: ['app'], isWatching: false })
  const [one, other, admins] = await Promise.all([get('webuser'), get('webuser'), get('webadmin')])
  assert.equal(one, other)
  assert.equal(await get('webuser'), one)
  assert.notEqual(one, admins)
  assert.ok(!fieldsOf(one.schema, 'Query').includes('notes'))
  assert.ok(fieldsOf(admins.schema, 'Query').includes('notes'))
  assert.deepEqual(fieldsOf(admins.schema, 'NoteInput'), ['body'])
  assert.equal(await get('webadmin'), admins)
})

test('one that is watched is built anew when tables, grants, functions or comments change', async () => {
  const { get } = createRoleSchemas({ requests, log }, { schemas: ['app'], isWatching: true })
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

test('one that is not watched is built anew beside the requests, a while after the database has changed', async () => {
  const { get, suspectChange } = createRoleSchemas(
    { requests, log },
    { schemas: ['app'], isWatching: false },
  )
  const before = await get('webadmin')
  await db.owner.query('alter table app.notes add column later text')
  assert.equal(await get('webadmin'), before)
  await until(async () => {
    suspectChange()
    return (await get('webadmin')) !== before
  })
  const { schema } = await get('webadmin')
  assert.ok(fieldsOf(schema, 'Note').includes('id'))
  await db.owner.query('grant select on app.notes to webadmin')
  await until(async () => fieldsOf((await get('webadmin')).schema, 'Note').includes('later'))
})

test('who suspects a change waits for a look that has begun after it, however lately the last one was', async () => {
  const { get, suspectChange } = createRoleSchemas(
    { requests, log },
    { schemas: ['app'], isWatching: false },
  )
  await get('webadmin')
  await suspectChange()
  for (const name of ['soon', 'sooner']) {
    const isUnderWay = suspectChange()
    await db.owner.query(
      `create table app.${name} (id int primary key); grant select on app.${name} to webadmin`,
    )
    await Promise.all([suspectChange(), suspectChange(), isUnderWay])
    assert.ok(fieldsOf((await get('webadmin')).schema, 'Query').includes(`${name}s`), name)
  }
})

test('what only rewrites a table is no change', async () => {
  await db.owner.query(
    `create materialized view app.sums as select 1 as one; grant select on app.sums to webadmin;
     create table app.days (day date) partition by range (day)`,
  )
  const before = await readFingerprint(requests, ['app'])
  await db.owner.query('truncate app.notes')
  await db.owner.query('refresh materialized view app.sums')
  await db.owner.query('vacuum full analyze app.notes')
  await db.owner.query(
    `create table app.day partition of app.days for values from ('2026-01-01') to ('2026-01-02')`,
  )
  assert.equal(await readFingerprint(requests, ['app']), before)
})

test('one that cannot be built leaves the one before, and is built when it can be', async () => {
  let isBroken = false
  const breaking = {
    ...requests,
    async send(...statements: Statement[]) {
      if (isBroken && statements.some(({ name }) => name === 'graphql_touchable'))
        throw new Refusal('database_unavailable')
      return requests.send(...statements)
    },
  }
  const ground = { requests: breaking, log }
  const { get } = createRoleSchemas(ground, { schemas: ['app'], isWatching: true })
  isBroken = true
  await assert.rejects(get('webuser'), { code: 'database_unavailable' })
  isBroken = false
  const before = await get('webuser')
  isBroken = true
  await db.owner.query(
    'create table app.later (id int primary key); grant select on app.later to webuser',
  )
  assert.equal(await get('webuser'), before)
  isBroken = false
  assert.ok(fieldsOf((await get('webuser')).schema, 'Query').includes('laters'))
})

test('what is shown under another name, or not at all, is a warning once', async () => {
  const lines: string[] = []
  const listening = {
    ...log,
    warn: (_of: unknown, text: string) => lines.push(text),
  } as unknown as Log
  const { get } = createRoleSchemas(
    { requests, log: listening },
    { schemas: ['app'], isWatching: true },
  )
  await db.owner.query(
    'create table app.users (id int primary key); grant select on app.users to webuser, webadmin',
  )
  await get('webuser')
  await get('webadmin')
  await db.owner.query('alter table app.users add column name text')
  await get('webuser')
  assert.deepEqual(lines, [
    "table app.users would be users, as table pie_schema.users is: it is shown as AppUser; to name it yourself: comment on table app.users is '@name app_users'",
  ])
})

test('what is reached in schemas that are not named is looked at too, however far away', async () => {
  await db.owner.query(
    `create schema far; create schema farther;
     create type farther.pair as (a int, b text); create domain far.pairs as farther.pair[];
     create table far.hidden (id int primary key, v text); grant select on far.hidden to webuser;
     create type farther.span as range (subtype = int); create domain far.spans as farther.span;
     create table app.reaching (id int primary key, p far.pairs, s far.spans); grant select on app.reaching to webuser;
     create function app.hid() returns setof far.hidden language sql stable as $$ select * from far.hidden $$`,
  )
  const { get } = createRoleSchemas({ requests, log }, { schemas: ['app'], isWatching: true })
  let last = await get('webuser')
  assert.deepEqual(fieldsOf(last.schema, 'Pair'), ['a', 'b'])
  for (const change of [
    'alter type farther.pair rename attribute b to c',
    'alter table far.hidden rename v to w',
    'alter schema farther rename to farthest',
    'alter type farthest.pair add attribute d int',
  ]) {
    await db.owner.query(change)
    const next = await get('webuser')
    assert.notEqual(next, last, change)
    assert.equal(await get('webuser'), next)
    last = next
  }
  assert.deepEqual(fieldsOf(last.schema, 'Pair'), ['a', 'c', 'd'])
  assert.ok(fieldsOf(last.schema, 'Hidden').includes('w'))
})

test('at a start it is one line for both roles, and where there are many, one for all', async () => {
  const lines: { of: Record<string, unknown>; text: string }[] = []
  const listening = {
    ...log,
    warn: (of: Record<string, unknown>, text: string) => lines.push({ of, text }),
  } as unknown as Log
  await db.owner.query(`
    create schema few; create schema many;
    grant usage on schema few, many to webuser, webadmin;
    create function few.find(a int) returns int language sql stable as 'select 1';
    create function few.find(a text) returns int language sql stable as 'select 1'`)
  for (let n = 1; n <= 11; n += 1)
    await db.owner.query(
      `create function many.f${n}(variadic a int[]) returns int language sql stable as 'select 1'`,
    )
  const prepare = (schema: string) =>
    createRoleSchemas(
      { requests, log: listening },
      { schemas: [schema], isWatching: false },
    ).prepare()
  await prepare('few')
  assert.deepEqual(
    lines.map(({ of }) => [of['object'], of['roles']]),
    ['integer', 'text'].map((type) => [`function few.find(a ${type})`, ['webuser', 'webadmin']]),
  )
  for (const { of, text } of lines) {
    assert.match(text, /is left out/)
    assert.doesNotMatch(JSON.stringify(of), /left out:|revoke/)
  }
  lines.length = 0
  await prepare('many')
  assert.deepEqual(
    lines.map(({ of }) => of),
    [{ problems: 11 }],
  )
})
