/** What `pie lint` prints and how it ends; and how one lives with a finding. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import { rules } from '../../advisor/src/lint/rules.ts'
import { cloneDatabase, type TestDatabase, testSecretKey } from '../harness/cluster.ts'
import { makeDataDirectory, runPie } from '../harness/process.ts'

let database: TestDatabase
let owner: pg.Client
const directory = makeDataDirectory()
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await owner.query(`
    create schema app;
    comment on schema app is 'The application''s.';
    create table app.notes (id integer primary key);
    comment on column app.notes.id is 'Identifies the note.';
    grant usage on schema app to webuser; grant select, delete on app.notes to webuser;
    create table app."Drafts" (id integer primary key);
    comment on table app."Drafts" is 'Notes to be.';
    alter table app."Drafts" enable row level security, force row level security;
    create policy drafts_for_owner on app."Drafts" to current_user using (true);`)
})
after(async () => {
  await owner.end()
  await database.drop()
  directory.remove()
})

const lint = (...args: string[]) =>
  runPie(['lint', ...args], {
    DATABASE_URL: database.url,
    SECRET_KEY: testSecretKey,
    DATA_DIR: directory.path,
  })

const found = [
  { rule: 'table-without-row-level-security', object: 'table app.notes' },
  { rule: 'without-comment', object: 'column app."Drafts".id' },
  { rule: 'without-comment', object: 'table app.notes' },
]

/** Lints `app` with this file in the directory where it runs, or with it named; style included. */
async function lintAccepting(list: unknown, ...args: string[]) {
  const isNamed = args.includes('--accepted')
  const file = join(directory.path, isNamed ? 'elsewhere.json' : 'pie-lint.json')
  writeFileSync(file, typeof list === 'string' ? list : JSON.stringify(list))
  const where = args.includes('--schema') ? [] : ['--schema', 'app']
  const { code, stdout, stderr } = await lint('--json', '--style', ...where, ...args)
  writeFileSync(join(directory.path, 'pie-lint.json'), '[]')
  const report = stdout === '' ? null : JSON.parse(stdout)
  const names = report?.findings
    // What is said of the whole database stands in every report.
    .filter(({ object }: Finding) => !/^database | pg_catalog\./.test(object))
    .map(({ rule, object }: Finding) => ({ rule, object }))
  return { code, stderr, names, accepted: report?.accepted }
}

const forAReason = found.map((entry) => ({ ...entry, reason: 'ada moves it in spring' }))

test('says what is wrong, why, and what mends it; style only where it is asked for', async () => {
  const { code, stdout, stderr } = await lint('--schema', 'app')
  assert.deepEqual({ code, stderr }, { code: 1, stderr: '' })
  assert.match(
    stdout,
    /^HOLE: .*\n\ntable-without-row-level-security\n {2}Without row-level security, .*\n(?: .*\n)*? {2}- table app\.notes\n/,
  )
  assert.match(stdout, /^ {6}alter table app\.notes enable row level security;$/m)
  assert.match(stdout, /\d+ findings? \(.*\) in 1 schema \(app\)\.\n$/)
  assert.doesNotMatch(stdout, /without-comment/)
  const style = await lint('--schema', 'app', '--style')
  assert.match(style.stdout, /^STYLE: a habit\n/m)
  assert.match(style.stdout, /\n\nwithout-comment \(2\)\n/)
  assert.match(style.stdout, /\(1 hole, \d of style\) in 1 schema \(app\)\.\n$/)
})

test('a finding that is accepted with a reason is none, in pie-lint.json or in a file that is named', async () => {
  const nothing = { code: 0, stderr: '', names: [], accepted: 3 }
  assert.deepEqual(await lintAccepting(forAReason), nothing)
  const file = join(directory.path, 'elsewhere.json')
  assert.deepEqual(await lintAccepting(forAReason, '--accepted', file), nothing)
  writeFileSync(join(directory.path, 'pie-lint.json'), JSON.stringify(forAReason))
  // Those of style that were accepted are not in the way where style is not looked for.
  const graver = await lint('--schema', 'app')
  assert.equal(graver.stdout, 'No findings in 1 schema (app), and 1 accepted.\n')
})

test('an acceptance without a reason accepts nothing, and is a finding', async () => {
  for (const reason of [undefined, '', ' \n']) {
    const { code, names, accepted } = await lintAccepting([
      ...forAReason.slice(1),
      { ...found[0], reason },
    ])
    assert.deepEqual(names, [
      found[0],
      {
        rule: 'acceptance-without-reason',
        object: 'acceptance of table-without-row-level-security on table app.notes',
      },
    ])
    assert.deepEqual({ code, accepted }, { code: 1, accepted: 2 })
  }
})

test('an acceptance whose finding is gone is a finding, and only where its schema was looked at', async () => {
  const gone = { rule: 'without-comment', object: 'table app."Drafts"', reason: 'was so once' }
  const wrong = { rule: 'no-such-rule', object: 'table app.notes', reason: 'a slip' }
  const { code, names } = await lintAccepting([...forAReason, gone, wrong])
  assert.equal(code, 1)
  assert.deepEqual(names, [
    {
      rule: 'acceptance-of-nothing',
      object: 'acceptance of without-comment on table app."Drafts"',
    },
    { rule: 'acceptance-of-nothing', object: 'acceptance of no-such-rule on table app.notes' },
  ])
  const elsewhere = await lintAccepting([...forAReason, gone, wrong], '--schema', 'pie_schema')
  assert.deepEqual(elsewhere, { code: 0, stderr: '', names: [], accepted: 0 })
})

test('a list of accepted findings that is none ends in 1, and says what is wrong with it', async () => {
  for (const [list, message] of [
    ['[', /Could not read pie-lint\.json/],
    ['{}', /it is no list/],
    ['[{"object": "table app.notes", "reason": "x"}]', /rule of entry 1 is no text/],
    ['[null]', /rule of entry 1 is no text/],
    ['[{"rule": "x", "object": "y", "reason": 7}]', /reason of entry 1 is no text/],
  ] as const) {
    const { code, stderr, names } = await lintAccepting(list)
    assert.deepEqual({ code, names }, { code: 1, names: undefined })
    assert.match(stderr, message)
  }
  const missing = await lint('--accepted', 'nowhere.json')
  assert.deepEqual({ code: missing.code, stdout: missing.stdout }, { code: 1, stdout: '' })
  assert.match(missing.stderr, /Could not read nowhere\.json/)
})

test('a schema that is not there is an error, and not a schema without findings', async () => {
  const { code, stdout, stderr } = await lint('--schema', 'app', '--schema', '"app"')
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
  assert.match(
    stderr,
    /There is no schema "app" .* app, pie_hooks, pie_private, pie_schema, public/,
  )
})

test('what belongs to an extension is left to whoever writes it', async () => {
  await owner.query(`
    create schema theirs;
    create table theirs.things (id integer);
    create function app.their_function() returns integer language sql as 'select 1';
    create table app.their_table (id integer);
    alter extension plpgsql add schema theirs;
    alter extension plpgsql add function app.their_function();
    alter extension plpgsql add table app.their_table`)
  const everywhere = async () => {
    const { stdout } = await lint('--json', '--style')
    const { schemas, findings } = JSON.parse(stdout)
    assert.ok(schemas.includes('app'))
    return findings.filter(({ object }: Finding) => /\btheirs\b|\btheir_/.test(object))
  }
  assert.deepEqual(await everywhere(), [])
  await owner.query(`
    alter extension plpgsql drop schema theirs;
    alter extension plpgsql drop function app.their_function();
    alter extension plpgsql drop table app.their_table`)
  const all = await everywhere()
  assert.ok(all.length > 5, JSON.stringify(all))
  await owner.query(
    'drop schema theirs cascade; drop function app.their_function; drop table app.their_table',
  )
})

test('a policy is not dropped for a function that is volatile only because nobody said otherwise', async () => {
  await owner.query(`
    create schema slack; comment on schema slack is 'Slack.';
    create table slack.lists (id integer primary key);
    comment on table slack.lists is 'Lists.'; comment on column slack.lists.id is 'Identifies the list.';
    alter table slack.lists enable row level security, force row level security;
    create function slack.mine() returns integer language plpgsql
      as $$ declare found_id integer; begin select 1 into found_id; return found_id; end $$;
    comment on function slack.mine() is 'Mine.'; revoke execute on function slack.mine() from public;
    create policy lists_own on slack.lists to webuser using (id = (select slack.mine()))`)
  try {
    const { stdout } = await lint('--json', '--schema', 'slack')
    assert.deepEqual(
      JSON.parse(stdout).findings.map(({ object, mend }: Finding) => [object, mend]),
      [
        ['policy lists_own on slack.lists', 'alter function slack.mine() stable;'],
        ['function slack.mine()', 'alter function slack.mine() stable;'],
      ],
    )
    await owner.query('alter function slack.mine() stable')
    assert.equal((await lint('--schema', 'slack')).code, 0)
  } finally {
    await owner.query('drop schema slack cascade')
  }
})

test('policies that only take away show nothing: there has to be one that gives', async () => {
  await owner.query(`
    create schema strict; comment on schema strict is 'Strict.';
    create table strict.lists (id integer primary key);
    comment on table strict.lists is 'Lists.'; comment on column strict.lists.id is 'Identifies the list.';
    alter table strict.lists enable row level security, force row level security;
    create policy lists_few on strict.lists as restrictive using (id > 0);
    grant usage on schema strict to webuser; grant select on strict.lists to webuser`)
  try {
    const { names } = await lintAccepting([], '--schema', 'strict')
    const [named] = names.filter(({ rule }: Finding) => rule === 'table-without-policy')
    assert.deepEqual(named, { rule: 'table-without-policy', object: 'table strict.lists' })
  } finally {
    await owner.query('drop schema strict cascade')
  }
})

test('lint changes nothing: not even a function of the schemas is called', async () => {
  await owner.query(`
    create schema trap; comment on schema trap is 'A trap.';
    create function trap.spring(anyelement, anyelement) returns boolean language plpgsql
      as $$ begin raise exception 'sprung'; end $$;
    create operator trap.= (leftarg = anyelement, rightarg = anyelement, function = trap.spring);
    create function trap.format(text, variadic text[]) returns text language plpgsql
      as $$ begin raise exception 'sprung'; end $$;
    create view trap.pg_class as select 1 as oid`)
  const name = new URL(database.url).pathname.slice(1)
  await owner.query(`alter database ${name} set search_path = trap, pg_catalog`)
  try {
    const { code, names, stderr } = await lintAccepting([], '--schema', 'trap')
    assert.equal(stderr, '')
    assert.equal(code, 1)
    assert.ok(names.length >= 5)
  } finally {
    await owner.query(`alter database ${name} reset search_path; drop schema trap cascade`)
  }
})

test('--help names every rule, and what a build needs to know', async () => {
  const { code, stdout } = await lint('--help')
  assert.equal(code, 0)
  for (const { name } of rules) assert.ok(stdout.includes(`\n  ${name}\n`), name)
  assert.match(stdout, /pie-lint\.json/)
  assert.match(stdout, /Ends with 1\nwhen there is one of the weight that --fail-on says/)
})
