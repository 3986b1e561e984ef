import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  authenticate,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../database/test/people.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import { createEmptyDatabase } from '../harness/cluster.ts'

/** Where temporary tables are allowed, names in pg_temp come before pg_catalog's. */
let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
  const name = new URL(db.url).pathname.slice(1)
  await db.owner.query(`grant temporary on database ${name} to public`)
})
after(() => db.close())

/** Everything of Pie that somebody may call who has come in through a hole. */
const calls = () => [
  'select pie_schema.current_user_id()',
  'select pie_schema.current_session_id()',
  `select pie_schema.has_role('admin')`,
  `select pie_schema.has_permission('users:read')`,
  `select description from pie_schema.user_descriptions where id = '${db.grace.id}'`,
  'select id from pie_schema.users',
  'select * from pie_schema.my_sessions()',
  `select pie_schema.end_my_session('${db.grace.session.id}')`,
  'select pie_schema.end_my_other_sessions()',
  `update pie_schema.users set name = 'ada'`,
]

/** Ada's request transaction in which she plants something and then calls all that she may. */
async function plantAndCall(plants: string[]): Promise<{ ranAs: string[]; answers: unknown[] }> {
  const client = await db.connectAs('cream')
  const ranAs = new Set<string>()
  const answers: unknown[] = []
  client.on('notice', ({ message }) => {
    if (message?.startsWith('ran as ')) ranAs.add(message.slice('ran as '.length))
  })
  const say = async (sql: string) => {
    await client.query('savepoint said')
    try {
      answers.push((await client.query(sql)).rows)
    } catch (error) {
      assert.ok(error instanceof pg.DatabaseError)
      await client.query('rollback to said')
    }
  }
  await client.query('begin')
  await authenticate(client, db.ada.session)
  const spy = `language plpgsql as $$ begin raise notice 'ran as %', current_user; return true; end $$`
  await client.query(`create function pg_temp.spy() returns boolean ${spy}`)
  for (const plant of plants) await client.query(plant)
  answers.length = 0
  for (const call of calls()) await say(call)
  await client.query('reset role')
  const { id, proof } = db.ada.session
  await say(`select * from pie_private.check_session('${id}', '\\x${proof.toString('hex')}')`)
  await say(`select pie_private.read_session('${id}', '\\x${proof.toString('hex')}')`)
  await say(`select pie_private.authenticate('${id}', '\\x${proof.toString('hex')}')`)
  await client.query('rollback')
  return { ranAs: [...ranAs].sort(), answers }
}

function assertNobodyElse(answers: unknown[]): void {
  const seen = JSON.stringify(answers)
  assert.ok(!seen.includes(db.grace.id) && !seen.includes(db.dorothy.id), seen)
  assert.ok(!seen.includes('"has_role":true') && !seen.includes('"has_permission":true'), seen)
}

const catalogTypes = 'uuid text bytea bool int4 int8 timestamptz interval jsonb inet name oid'

test('a temporary type named like one of Postgres runs no code of ada as the owner', async () => {
  await assertNothingChanges(db.owner, async () => {
    const { ranAs, answers } = await plantAndCall(
      catalogTypes
        .split(' ')
        .map(
          (type) =>
            `create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.spy() and value is not null)`,
        ),
    )
    const { rows } = await db.owner.query('select current_user as owner')
    assert.ok(!ranAs.includes(rows[0].owner), `ran as ${ranAs}`)
    assertNobodyElse(answers)
  })
})

test('a spy that can be called is heard: the test above would see one', async () => {
  const { ranAs } = await plantAndCall([`select pg_temp.spy()`])
  assert.deepEqual(ranAs, ['webuser'])
})

test('temporary tables named like those of Pie and of Postgres stand in for none of them', async () => {
  const { ada, dorothy } = db
  const { answers } = await plantAndCall([
    `create temp table sessions as select '${ada.session.id}'::uuid as id, '${dorothy.id}'::uuid as user_id,
       ''::bytea as proof_hash, null::timestamptz as revoked_at, now() + interval '1 day' as expires_at, null::text[] as scopes`,
    `create temp table user_roles as select '${ada.id}'::uuid as user_id, 'admin' as role`,
    `create temp table role_permissions as select 'viewer' as role, 'users:read' as permission`,
    `create temp table users as select '${dorothy.id}'::uuid as id, 'x' as name`,
    `create temp view pg_roles as select 'x' as rolname`,
    `create temp table pg_class (oid oid)`,
  ])
  assertNobodyElse(answers)
  assert.deepEqual(answers[0], [{ current_user_id: ada.id }])
})

test('temporary functions and operators stand in for none of those that Pie compares with', async () => {
  const { ada } = db
  const { ranAs, answers } = await plantAndCall([
    `create function pg_temp.sha256(bytea) returns bytea language plpgsql as $$ begin perform pg_temp.spy(); return ''; end $$`,
    `create function pg_temp.now() returns timestamptz language plpgsql as $$ begin perform pg_temp.spy(); return '2000-01-01'; end $$`,
    `create function pg_temp.same(uuid, uuid) returns boolean language plpgsql as $$ begin return pg_temp.spy(); end $$`,
    'create operator pg_temp.= (leftarg = uuid, rightarg = uuid, function = pg_temp.same)',
    `create function pg_temp.same(text, text) returns boolean language plpgsql as $$ begin return pg_temp.spy(); end $$`,
    'create operator pg_temp.= (leftarg = text, rightarg = text, function = pg_temp.same)',
    `select set_config('search_path', 'pg_temp, pg_catalog', true)`,
  ])
  assert.deepEqual(ranAs, [])
  assertNobodyElse(answers)
  assert.deepEqual(answers[0], [{ current_user_id: ada.id }])
})

test('a database that Pie has prepared lets no request make anything temporary', async () => {
  const empty = await createEmptyDatabase()
  try {
    await asOwner(Secret.fromText(empty.url), prepareDatabase)
    const url = new URL(db.urlOf('cream').revealText())
    url.pathname = new URL(empty.url).pathname
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    try {
      for (const plant of ['create temp table t (a int)', 'create temp view v as select 1']) {
        await assert.rejects(client.query(plant), { code: '42501' }, plant)
        await assert.rejects(client.query(`set role webuser; ${plant}`), { code: '42501' }, plant)
      }
    } finally {
      await client.end()
    }
  } finally {
    await empty.drop()
  }
})
