import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { readAcceptances } from '../../advisor/src/lint/read-acceptances.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import * as catalog from './catalog.ts'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

test('pie lint finds nothing in the schemas of Pie', async () => {
  assert.ok((await catalog.listTables(db.owner)).length >= 15)
  const schemas = ['pie_schema', 'pie_private', 'pie_hooks']
  const accepted = fileURLToPath(new URL('../pie-lint.json', import.meta.url))
  const acceptances = await readAcceptances(accepted)
  const { findings } = await lintDatabase(db.owner, {
    schemas,
    acceptances,
    names: namesOfPie,
  })
  assert.deepEqual(findings, [])
})

test('every function fixes its search path, with the temporary schema last (CVE-2018-1058)', async () => {
  assert.deepEqual(await catalog.findFunctionsWithoutSafeSearchPath(db.owner), [])
})

test('what is on the way of a request and cannot be inlined is not language sql, and so keeps its plan before Postgres 18', async () => {
  assert.deepEqual(await catalog.findFunctionsPlannedAtEachCall(db.owner), [])
})

test('the grants on tables are these and no others', async () => {
  const readable = [
    'permissions',
    'profiles',
    'role_permissions',
    'roles',
    'user_descriptions',
    'user_emails',
    'user_roles',
    'users',
  ]
  const expected = readable.map((table) => `webuser select pie_schema.${table}`)
  assert.deepEqual(
    await catalog.listTableGrants(db.owner),
    [...expected, 'webuser update pie_schema.users.name'].sort(),
  )
})

test('no role may both insert into and update a table, so no upsert can read past a policy', async () => {
  assert.deepEqual(await catalog.findInsertAndUpdate(db.owner), [])
})

test('nobody but the owner may make anything in a schema of Pie, or enter pie_hooks', async () => {
  const { rows } = await db.owner.query(
    `select format('%s %s %s', coalesce(nullif(grantee, 0)::regrole::text, 'public'), lower(privilege_type), nspname) as grant
     from pg_namespace, aclexplode(nspacl)
     where nspname in ('pie_schema', 'pie_private', 'pie_hooks') and grantee <> nspowner order by 1`,
  )
  assert.deepEqual(
    rows.map((row) => row.grant),
    ['cream usage pie_private', 'pie_auth usage pie_private', 'webuser usage pie_schema'],
  )
})

/** Called by commands that connect as the owner. */
const forTheOwner = [
  'change_user_email',
  'create_permission',
  'create_role',
  'delete_user',
  'disable_user',
  'enable_user',
  'grant_permission',
  'grant_role',
  'is_request_login',
  'is_user',
  'list_sessions',
  'revoke_permission',
  'revoke_role',
  'revoke_sessions',
  'rotate_signing_key',
  'set_user_password',
]

/** What the server calls as cream. */
const forRequests = ['authenticate', 'read_me', 'read_session']

/** What a request calls about itself. */
const ofRequests = [
  'current_session_id',
  'current_user_id',
  'end_my_other_sessions',
  'end_my_session',
  'has_permission',
  'has_role',
  'has_scope',
  'my_sessions',
]

/** What nodes of the version before call by other arguments. */
const forNodesBefore = ['pie_auth pie_private.begin_password_change(uuid, bytea[])']

/** The functions of pie_private that the server's statements name. */
function functionsThatTheServerCalls(): string[] {
  const source = fileURLToPath(new URL('../../server/src/', import.meta.url))
  const files = globSync('**/*.ts', { cwd: source, exclude: (name) => name.endsWith('.test.ts') })
  assert.ok(files.length > 40)
  const texts = files.map((file) => readFileSync(join(source, file), 'utf8')).join('\n')
  const called = [...texts.matchAll(/pie_private\.(\w+)\(/g)].map(([, name]) => name ?? '')
  return [...new Set(called)].sort()
}

test('pie_auth may execute what the server calls and no more; cream may prove a session', async () => {
  const grants = await catalog.listFunctionGrants(db.owner)
  const granted = (role: string, schema: string) =>
    grants
      .filter((grant) => grant.startsWith(`${role} ${schema}.`) && !forNodesBefore.includes(grant))
      .map((grant) => grant.slice(`${role} ${schema}.`.length).replace(/\(.*/, ''))
  const called = functionsThatTheServerCalls().filter((name) => !forTheOwner.includes(name))
  assert.deepEqual(granted('cream', 'pie_private'), [
    'authenticate',
    'check_primary',
    'check_session',
    'read_me',
    'read_session',
    'take_session',
  ])
  assert.deepEqual(
    granted('pie_auth', 'pie_private'),
    called.filter((name) => !forRequests.includes(name)),
  )
  assert.deepEqual(granted('webuser', 'pie_schema'), ofRequests)
  assert.equal(
    grants.length - forNodesBefore.length,
    6 + (called.length - forRequests.length) + ofRequests.length,
    `more is granted, to somebody else or to everybody: ${grants.join(', ')}`,
  )
})

test('no role of Pie is a superuser, bypasses row-level security, or may make roles or databases', async () => {
  const { rows } = await db.owner.query(
    `select rolname from pg_roles
     where rolname in ('pie_auth', 'cream', 'webuser', 'webadmin') and not (
       rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
     ) order by 1`,
  )
  assert.deepEqual(
    rows.map(({ rolname }) => rolname),
    ['cream', 'pie_auth', 'webadmin', 'webuser'],
  )
})

test('only pie_auth and cream log in, they inherit nothing, and cream may become webuser or webadmin', async () => {
  const { rows } = await db.owner.query(
    `select member.rolname as member, granted.rolname as granted, member.rolinherit as inherits, admin_option
     from pg_auth_members
     join pg_roles as member on member.oid = member join pg_roles as granted on granted.oid = roleid
     where granted.rolname in ('pie_auth', 'cream', 'webuser', 'webadmin') order by 1, 2`,
  )
  assert.deepEqual(rows, [
    { member: 'cream', granted: 'webadmin', inherits: false, admin_option: false },
    { member: 'cream', granted: 'webuser', inherits: false, admin_option: false },
    { member: 'webadmin', granted: 'webuser', inherits: true, admin_option: false },
  ])
  const logins = await db.owner.query(
    `select rolname from pg_roles where rolcanlogin and rolname in ('pie_auth', 'cream', 'webuser', 'webadmin') order by 1`,
  )
  assert.deepEqual(
    logins.rows.map(({ rolname }) => rolname),
    ['cream', 'pie_auth'],
  )
})
