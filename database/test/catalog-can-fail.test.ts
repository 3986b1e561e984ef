import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import * as catalog from './catalog.ts'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'

/** Each check of the catalog finds the mistake that it is there for, in a transaction rolled back. */
let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())
beforeEach(() => db.owner.query('begin'))
afterEach(() => db.owner.query('rollback'))

const noteTable = 'create table pie_schema.notes (id int primary key, body text)'

test('a new table and a new column are granted to nobody', async () => {
  const before = await catalog.listTableGrants(db.owner)
  await db.owner.query(noteTable)
  await db.owner.query('alter table pie_schema.users add column shoe_size int')
  assert.deepEqual(await catalog.listTableGrants(db.owner), before)
  const { rows } = await db.owner.query(
    `select has_column_privilege('webadmin', 'pie_schema.users', 'shoe_size', 'update')
       or has_column_privilege('webadmin', 'pie_schema.users', 'shoe_size', 'insert')
       or has_any_column_privilege('webadmin', 'pie_schema.notes', 'select') as granted`,
  )
  assert.equal(rows[0].granted, false)
})

test('a grant on a table, on a column, and to everybody is found', async () => {
  const before = await catalog.listTableGrants(db.owner)
  await db.owner.query('grant delete on pie_schema.roles to webadmin')
  await db.owner.query('grant update (version) on pie_schema.users to webuser')
  await db.owner.query('grant select on pie_private.sessions to public')
  const added = (await catalog.listTableGrants(db.owner)).filter((grant) => !before.includes(grant))
  assert.deepEqual(added, [
    'public select pie_private.sessions',
    'webadmin delete pie_schema.roles',
    'webuser update pie_schema.users.version',
  ])
})

test('a function that anybody may execute, or whose path is open, is found', async () => {
  await db.owner.query(
    `create function pie_private.leak() returns int language sql security definer set search_path = ''
     as 'select 1'`,
  )
  const leak = 'pie_private.leak()'
  assert.ok((await catalog.listFunctionGrants(db.owner)).includes(`public ${leak}`))
  assert.ok((await catalog.findFunctionsWithoutSafeSearchPath(db.owner)).includes(leak))
})

test('a table that somebody may both insert into and update is found', async () => {
  await db.owner.query('grant insert (name) on pie_schema.users to webadmin')
  assert.deepEqual(await catalog.findInsertAndUpdate(db.owner), ['webadmin pie_schema.users'])
})

test('a function that each statement plans anew is found, by whatever way a request comes to it', async () => {
  const make = (name: string, rest: string, body = 'select 1') =>
    db.owner.query(
      `create function pie_private.${name} returns int language ${rest} as $$ ${body} $$;
       revoke execute on function pie_private.${name} from public`,
    )
  const found = () => catalog.findFunctionsPlannedAtEachCall(db.owner)
  const definer = 'sql security definer set search_path = pg_catalog, pg_temp'
  await make('granted()', definer)
  await make('in_policy()', definer)
  await make('in_view()', 'sql', 'select count(*)::int from pie_schema.roles')
  await make('called()', 'sql set search_path = pg_catalog, pg_temp')
  await make('caller()', 'plpgsql', 'begin return pie_private.called(); end')
  await make('for_the_owner()', definer)
  await make('inlined()', 'sql stable', 'select 1 + 1')
  assert.deepEqual(await found(), [], 'nothing is on the way of a request yet')

  await db.owner.query(
    'grant execute on function pie_private.granted(), pie_private.caller(), pie_private.inlined() to pie_auth',
  )
  await db.owner.query(
    `create policy planted on pie_schema.users for delete to webuser using ((select pie_private.in_policy()) = 1);
     create view pie_schema.planted as select pie_private.in_view() as roles`,
  )
  assert.deepEqual(
    await found(),
    ['called', 'granted', 'in_policy', 'in_view'].map((name) => `pie_private.${name}()`),
  )
})
