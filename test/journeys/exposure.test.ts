/** What an operator asks about rights: `pie exposure`, in words, as pages, and what has changed since. */
import assert from 'node:assert/strict'
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
})
