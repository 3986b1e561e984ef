import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  authenticate,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../database/test/people.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'

/**
 * An application on Pie has a hole: whatever ada writes runs as SQL inside her request transaction.
 * Here it is a plain query of several statements, the most that a driver lets through.
 */
let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
  // So that a list of somebody else's devices is known for what it is.
  await db.owner.query(
    `update pie_private.sessions set user_agent = email
     from pie_schema.user_emails where user_emails.user_id = sessions.user_id`,
  )
})
after(() => db.close())

/** What the attacker is after, each tried after every injection. */
const probes = () => [
  'select * from pie_schema.users',
  'select * from pie_schema.user_emails',
  'select * from pie_schema.user_roles',
  'select * from pie_private.sessions',
  'select * from pie_private.session_descriptions',
  `select * from pie_schema.my_sessions('100 years')`,
  `select pie_schema.end_my_session('${db.grace.session.id}')`,
  `select description from pie_schema.user_descriptions where id = '${db.grace.id}'`,
  `update pie_schema.users set name = 'mallory' where id <> '${db.ada.id}'`,
  `insert into pie_schema.user_roles (user_id, role) values ('${db.ada.id}', 'admin')`,
  `select pie_private.grant_role('ada@example.com', 'admin')`,
]

/** Injects, then probes; where the injection fails, probes on in whatever is left of the connection. */
async function attack(injection: string): Promise<void> {
  for (const probe of probes()) {
    const client = await db.connectAs('cream')
    const answers: unknown[] = []
    const say = async (sql: string): Promise<void> => {
      try {
        const result: pg.QueryResult | pg.QueryResult[] = await client.query(sql)
        answers.push([result].flat().map(({ rows }) => rows))
      } catch (error) {
        assert.ok(error instanceof pg.DatabaseError)
        if (error.code === '25P02') await client.query('rollback').then(() => say(sql))
      }
    }
    await client.query('begin')
    await authenticate(client, db.ada.session)
    await say(injection)
    await say(probe)
    await client.query('commit')
    await say(probe)
    await client.end()
    const seen = JSON.stringify(answers)
    for (const { id, email, session } of [db.grace, db.dorothy]) {
      assert.ok(!seen.includes(id) && !seen.includes(email), `${injection} · ${probe}: ${seen}`)
      assert.ok(!seen.includes(session.proof.toString('hex')))
    }
  }
}

async function assertInVain(injections: string[]): Promise<void> {
  await assertNothingChanges(db.owner, async () => {
    for (const injection of injections) await attack(injection)
  })
}

test('the attack is a real one: ada sees herself, and an admin who did the same would see everybody', async () => {
  const own = await db.request(db.ada, 'select id from pie_schema.users')
  assert.deepEqual(own.rows, [{ id: db.ada.id }])
  const all = await db.request(db.dorothy, 'select id from pie_schema.users')
  assert.equal(all.rows.length, 3)
})

test('taking another database role shows ada nobody else', async () => {
  await assertInVain([
    'reset role',
    'set role webadmin',
    'set local role webadmin',
    'reset role; set local role webadmin',
    'set role none; set role webadmin',
    'set role postgres',
    'set role pie_auth',
    `select set_config('role', 'webadmin', true)`,
    `select set_config('role', 'webadmin', false)`,
    'set session authorization postgres',
    'set session authorization pie_auth',
    'reset session authorization; set role webadmin',
    `do $$ begin execute 'set local role webadmin'; end $$`,
    `do $$ begin commit; execute 'set role webadmin'; end $$`,
  ])
})

test('ending the transaction leaves ada as nobody', async () => {
  await assertInVain([
    'commit',
    'commit and chain',
    'rollback; begin; set role webadmin',
    'commit; begin; set local role webadmin',
    'commit; discard all',
    'commit; discard all; set role webadmin',
    'reset all; set role webadmin',
    "prepare transaction 'x'",
  ])
})

test('forged settings make nobody of ada, not somebody else', async () => {
  const { grace, dorothy, ada } = db
  const { rows } = await db.owner.query(
    `select encode(proof_hash, 'hex') as hash from pie_private.sessions where id = $1`,
    [dorothy.session.id],
  )
  const forge = (id: string, proof: string) =>
    `select set_config('pie.session_id', '${id}', true), set_config('pie.session_proof', '${proof}', true)`
  const own = ada.session.proof.toString('hex')
  await assertInVain([
    forge(grace.session.id, own),
    `${forge(dorothy.session.id, own)}; set local role webadmin`,
    `${forge(dorothy.session.id, rows[0].hash)}; set local role webadmin`,
    `${forge(dorothy.session.id, guessedProof().toString('hex'))}; set local role webadmin`,
    `${forge(dorothy.session.id, '')}; set local role webadmin`,
    `${forge('', '')}; set local role webadmin`,
    `${forge(`${dorothy.session.id}' or true --`.replaceAll("'", "''"), own)}`,
    `set pie.session_id = '${dorothy.session.id}'; set role webadmin`,
    `set local pie.user_id = '${dorothy.id}'; set local pie.current_user_id = '${dorothy.id}'`,
  ])
})

test('proving a session of somebody else fails with every proof but theirs', async () => {
  const { ada, dorothy } = db
  const prove = (proof: string) =>
    `reset role; select pie_private.authenticate('${dorothy.session.id}', ${proof})`
  const { rows } = await db.owner.query(
    `select proof_hash from pie_private.sessions where id = $1`,
    [dorothy.session.id],
  )
  await assertInVain([
    prove(`'\\x${ada.session.proof.toString('hex')}'`),
    prove(`'\\x${rows[0].proof_hash.toString('hex')}'`),
    prove(`'\\x${guessedProof().toString('hex')}'`),
    prove(`''`),
    prove('null'),
    `reset role; select * from pie_private.check_session('${dorothy.session.id}', '\\x00')`,
    `reset role; select * from pie_private.check_session(null, null)`,
    `reset role; select pie_private.read_session('${dorothy.session.id}', '\\x${ada.session.proof.toString('hex')}')`,
    `reset role; select pie_private.read_session('${dorothy.session.id}', '\\x${rows[0].proof_hash.toString('hex')}')`,
    `reset role; select pie_private.read_session(id, null) from pie_schema.my_sessions() as mine`,
    `reset role; select pie_private.read_session(null, null)`,
    `select pie_private.authenticate('${ada.session.id}', '\\x${ada.session.proof.toString('hex')}'); set local role webadmin`,
  ])
})

test('whoever is not the owner changes neither tables, policies, functions nor roles', async () => {
  await assertInVain([
    'set local row_security = off',
    'set session_replication_role = replica',
    'alter table pie_schema.users disable row level security',
    'alter table pie_schema.users no force row level security',
    'alter table pie_schema.users owner to webuser',
    'drop policy users_own on pie_schema.users',
    'alter policy users_own on pie_schema.users using (true)',
    'create policy all_of_it on pie_schema.users using (true)',
    'grant all on pie_schema.users to webuser',
    'reset role; grant webadmin to pie_auth',
    'reset role; alter role cream superuser',
    'reset role; alter role cream bypassrls',
    'create function pie_schema.has_role(text) returns boolean language sql return true',
    'create or replace function pie_schema.current_user_id() returns uuid language sql return null::uuid',
    `create trigger t after update on pie_schema.users execute function pie_private.touch_user()`,
    'create view pie_schema.v as select * from pie_schema.users',
    'create materialized view public.v as select * from pie_schema.users',
    'create rule r as on select to pie_schema.users do instead select 1',
  ])
})
