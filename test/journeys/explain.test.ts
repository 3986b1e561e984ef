/** What an operator asks about one person's rights: `pie explain`, in words. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testSecretKey } from '../harness/cluster.ts'
import { register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'
import { type Finished, runPie } from '../harness/process.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
  const { owner } = pie
  const ada = await register(pie, 'ada')
  await register(pie, 'grace')
  await owner.query(`
    create schema app;
    grant usage on schema app to webuser;
    create table app.notes (id int primary key, owner_id uuid not null, title text);
    alter table app.notes enable row level security;
    create policy notes_own on app.notes to webuser using (owner_id = (select pie_schema.current_user_id()));
    grant select, insert (id, owner_id, title) on app.notes to webuser;
    create table app.news (id int primary key, body text);
    grant select (id), delete on app.news to webuser, public;
    create table app.rounds (id int primary key);
    alter table app.rounds enable row level security;
    create policy goes_round on app.rounds to webuser using (exists (select from app.rounds as other where other.id = rounds.id));
    insert into app.rounds values (1);
    grant select, insert, update, delete on app.rounds to webuser;`)
  await owner.query(`insert into app.notes values (1, $1, 'hello')`, [ada.user.id])
})
after(() => pie.close())

const run = (...args: string[]): Promise<Finished> =>
  runPie(args, { DATABASE_URL: pie.databaseUrl, SECRET_KEY: testSecretKey })

async function say(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

describe('pie explain', () => {
  const about = (name: string, ...more: string[]) =>
    say('explain', '--user', `${name}@example.com`, '--table', 'app.notes', ...more)

  test('answers in words, names the policy that decides, and changes nothing while Pie serves', async () => {
    const earlier = await snapshot(pie.owner)
    const [can, cannot] = [await about('ada', '--row', '1'), await about('grace', '--row', '1')]
    assert.match(
      can,
      /^ada@example\.com can see the row id = 1 of app\.notes: notes_own lets them\.\n/,
    )
    assert.match(
      cannot,
      /^grace@example\.com cannot see the row id = 1 of app\.notes: no policy lets this row be seen\.\nnotes_own asks \(owner_id = \(select pie_schema\.current_user_id\(\)\)\): false\.\n/,
    )
    assert.match(
      cannot,
      /\nTried as this user, and rolled back: 0 rows\.\n {2}select .* where "id" = \$1\n\nCost: \d+\.\d\d ms /,
    )
    const insert = await about('ada', '--action', 'insert', '--row', '{"id": 2}')
    assert.match(
      insert,
      /cannot insert this row into app\.notes: no policy lets this row be inserted/,
    )
    assert.deepEqual(await snapshot(pie.owner), earlier)
    const { rowCount } = await pie.owner.query('select from app.notes')
    assert.equal(rowCount, 1)
  })

  test('says which grant is missing, and the statement that would give it', async () => {
    assert.match(
      await about('ada', '--row', '1', '--action', 'delete'),
      /: webuser lacks a grant, delete on app\.notes\.\nIf that should be: grant delete on app\.notes to webuser\.\n[\s\S]*\n {2}NO {3}delete on app\.notes\n/,
    )
  })

  test('counts what somebody sees of a table', async () => {
    const shown = await about('grace')
    assert.match(
      shown,
      /^grace@example\.com cannot see any row of app\.notes: none is let through by notes_own\.\n/,
    )
    assert.match(shown, /\nRows that they can see: 0 of 1\.\n/)
    assert.match(
      await about('ada'),
      /^ada@example\.com can see every row of app\.notes: all that are there/,
    )
  })

  test('says of a table whose every query fails that it fails, and by which policy', async () => {
    const asked = ['explain', '--user', 'ada@example.com', '--table', 'app.rounds']
    for (const more of [[], ['--row', '1'], ['--action', 'update'], ['--action', 'delete']]) {
      const shown = await say(...asked, ...more)
      assert.match(
        shown,
        /^ada@example\.com cannot .* app\.rounds: Postgres fails, from the policy goes_round: infinite recursion/,
      )
    }
    const { verdict, decided_by } = JSON.parse(await say(...asked, '--json'))
    assert.deepEqual(
      [verdict, decided_by.kind, decided_by.code, decided_by.policy],
      ['no', 'postgres', '42P17', 'goes_round'],
    )
  })

  test('says of an insert whether it may be returned', async () => {
    const id = await pie.owner.query('select owner_id from app.notes')
    const row = JSON.stringify({ id: 3, owner_id: id.rows[0].owner_id })
    assert.match(
      await about('ada', '--action', 'insert', '--row', row),
      /^ada@example\.com can insert this row into app\.notes: notes_own lets them\.\n[\s\S]*\n {2}… returning: 1 row\n/,
    )
  })

  test('says loudly that row-level security is off', async () => {
    const shown = await say(...['explain', '--user', 'ada@example.com', '--table', 'app.news'])
    assert.match(
      shown,
      /can see every row of app\.news, of which there are none now: ROW-LEVEL SECURITY IS OFF on app\.news, so /,
    )
  })

  test('takes --set only where it is used, and actions only that there are', async () => {
    const asked = ['explain', '--user', 'ada@example.com', '--table', 'app.notes']
    for (const [more, said] of [
      [['--set', '{}'], /--set is for --action update/],
      [['--action', 'merge'], /Allowed choices are select, insert, update, delete/],
      [['--timeout', '0'], /It takes seconds, more than 0/],
      [['--row', 'x'], /invalid input syntax for type integer/],
    ] as const) {
      const { code, stdout, stderr } = await run(...asked, ...more)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, said)
    }
  })
})
