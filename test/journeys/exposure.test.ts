/** What an operator asks about rights: `pie exposure`, in words, as pages, and what has changed since. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { testSecretKey } from '../harness/cluster.ts'
import { startTestPie, type TestPie } from '../harness/pie.ts'
import { type Finished, runPie } from '../harness/process.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
  const { owner } = pie
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
    revoke execute on function app.publish(int) from public;
    grant execute on function app.publish(int) to webadmin;`)
})
after(() => pie.close())

const run = (...args: string[]): Promise<Finished> =>
  runPie(args, { DATABASE_URL: pie.databaseUrl, SECRET_KEY: testSecretKey })

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
      await pie.owner.query(sql)
      try {
        return await run('exposure', '--diff', saved, ...form)
      } finally {
        await pie.owner.query(undo)
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
          /app\.notes: row-level security is off, and was on\n[\s\S]*webuser, webadmin: select app\.notes, in other rows\n {6}ALL ROWS: row-level security is off\n {6}before: where notes_own/,
        ],
        [
          'create policy wide on app.notes for select to webadmin using (title is null)',
          'drop policy wide on app.notes',
          /^Opened \(1\)\n\n {2}webadmin: select app\.notes, in other rows\n/,
        ],
        [
          'grant execute on function app.publish(int) to webuser',
          'revoke execute on function app.publish(int) from webuser',
          /^Opened \(1\)\n\n {2}webuser: execute app\.publish\(news_id integer\)\n {6}as its owner /,
        ],
        [
          'create sequence app.numbers; grant update on sequence app.numbers to webadmin',
          'drop sequence app.numbers',
          /webadmin: nextval app\.numbers\n[\s\S]*webadmin: setval app\.numbers\n/,
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
        /^Closed \(\d\)\n[\s\S]*webuser, webadmin: select app\.notes, in other rows/,
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
      })
    })

    test('compares with another database too, and prints Markdown for a pull request', async () => {
      const other = await pie.owner.query(`select current_setting('port') as port`)
      assert.equal(other.rowCount, 1)
      const { code, stdout, stderr } = await run(
        ...['exposure', '--schema', 'app', '--diff', pie.databaseUrl, '--markdown'],
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
    await pie.owner.query(`
      create table app."</script><img src=x onerror=alert(1)>" ("a""b'c" int);
      grant select on app."</script><img src=x onerror=alert(1)>" to webuser`)
    const page = await say('exposure', '--schema', 'app', '--html')
    await pie.owner.query(`drop table app."</script><img src=x onerror=alert(1)>"`)
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
