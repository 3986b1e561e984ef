/** What `pie graphql check` and a start say of names that GraphQL cannot show as they are. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { cloneDatabase, type TestDatabase, testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import { findFreePort, makeDataDirectory, runPie, startPieProcess } from '../harness/process.ts'

let database: TestDatabase
let owner: pg.Client
const directory = makeDataDirectory()
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await owner.query(`
    create schema "MyApp";
    grant usage on schema "MyApp" to webuser;
    create table "MyApp".users (id int primary key);
    comment on table "MyApp".users is 'Who belongs to a team.';
    grant select on "MyApp".users to webuser;
    create table "MyApp".roles (id int primary key); -- granted to nobody`)
})
after(async () => {
  await owner.end()
  await database.drop()
  directory.remove()
})

const environment = (schemas: string) => ({
  DATABASE_URL: database.url,
  SECRET_KEY: testSecretKey,
  DATA_DIR: directory.path,
  GRAPHQL_SCHEMAS: schemas,
})
const check = (schemas: string, ...args: string[]) =>
  runPie(['graphql', 'check', ...args], environment(schemas))

test('a start warns of what is shown under another name, with the comment that names it', async () => {
  const SOCKET = `127.0.0.1:${await findFreePort()}`
  const pie = await startPieProcess({ ...environment('MyApp'), SOCKET })
  try {
    await until(() => /MyApp\S*users would be users, .*comment on table/.test(pie.output()))
  } finally {
    await pie.end('SIGTERM')
  }
})

test('the check names both, and ends well; the comment that it gives is taken', async () => {
  const { code, stdout, stderr } = await check('MyApp')
  assert.equal(code, 0, stdout + stderr)
  assert.match(
    stdout,
    /webuser, webadmin: table "MyApp"\.users would be users, as table pie_schema\.users is: it is shown as MyAppUser/,
  )
  assert.doesNotMatch(stdout, /roles/)
  const [, comment = ''] = /(comment on table .*)/.exec(stdout) ?? []
  await owner.query(comment)
  const { rows } = await owner.query(`select obj_description('"MyApp".users'::regclass) as text`)
  assert.equal(rows[0].text, '@name MyApp_users\nWho belongs to a team.')
  assert.match((await check('MyApp')).stdout, /Everything is shown under its own name\./)
})

test('the check ends with 1 where something is left out or not there, and tells programs', async () => {
  await owner.query(`
    create function "MyApp".find(a int) returns int language sql stable as 'select 1';
    create function "MyApp".find(a text) returns int language sql stable as 'select 1'`)
  const { code, stdout } = await check('MyApp', '--json')
  assert.equal(code, 1)
  const { schemas, missing, problems } = JSON.parse(stdout)
  assert.deepEqual([schemas, missing], [['MyApp'], []])
  assert.deepEqual(
    problems.map((one: Record<string, string>) =>
      ['role', 'kind', 'object', 'other'].map((key) => one[key]),
    ),
    ['webuser', 'webadmin'].flatMap((role) => [
      [role, 'left-out', 'function "MyApp".find(a integer)', 'function "MyApp".find(a text)'],
      [role, 'left-out', 'function "MyApp".find(a text)', 'function "MyApp".find(a integer)'],
    ]),
  )
  await owner.query('drop function "MyApp".find(int)')
  const lower = await check('myapp,MyApp')
  assert.equal(lower.code, 1)
  assert.match(lower.stdout, /GraphQL shows: MyApp\./)
  assert.match(lower.stdout, /There is no schema myapp: .* There are: (.*, )?MyApp/)
})

test('of a schema that is not there nothing is said to be shown', async () => {
  const { code, stdout } = await check('myapp')
  assert.equal(code, 1)
  assert.match(stdout, /^Of what GRAPHQL_SCHEMAS names, nothing is there/)
  assert.doesNotMatch(stdout, /Looked at|under its own name/)
})
