import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import { namesOfPie } from '../../server/src/edge/cli/advised.ts'
import { doors, type InjectableNotes, openInjectableNotes } from '../harness/injectable-notes.ts'
import { assertProblem } from '../harness/pie.ts'

let notes: InjectableNotes
before(async () => {
  notes = await openInjectableNotes()
})
after(() => notes?.close())

const unsafeTables = async (): Promise<string[]> => {
  const { rows } = await notes.owner.query(
    `select oid::regclass::text as name from pg_class
     where relnamespace = 'notes'::regnamespace and relkind in ('r', 'p') and not (
       relrowsecurity and relforcerowsecurity and exists (select from pg_policy where polrelid = pg_class.oid)
     )`,
  )
  return rows.map(({ name }) => name)
}

/** What a role of requests may write, as "insert notes.notes.title". */
const writable = async (): Promise<string[]> => {
  const { rows } = await notes.owner.query(
    `select distinct concat_ws(' ', privilege, attrelid::regclass || '.' || attname) as name
     from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped,
       unnest('{webuser, webadmin, cream, public}'::text[]) as role,
       unnest('{insert, update, references}'::text[]) as privilege
     where relnamespace = 'notes'::regnamespace and relkind = 'r'
       and has_column_privilege(role, attrelid, attname, privilege)
     order by 1`,
  )
  return rows.map(({ name }) => name)
}

test('every table of the application has row-level security, forced, and a policy; one that has not is found', async () => {
  assert.deepEqual(await unsafeTables(), [])
  await notes.owner.query('create table notes.forgotten (id int)')
  assert.deepEqual(await unsafeTables(), ['notes.forgotten'])
  await notes.owner.query('drop table notes.forgotten')
})

test('pie lint finds nothing to mend in it', async () => {
  const question = { schemas: ['notes', 'pie_hooks'], acceptances: [], names: namesOfPie }
  assert.deepEqual((await lintDatabase(notes.owner, question)).findings, [])
})

test('a column that is added is written by nobody', async () => {
  const earlier = await writable()
  assert.deepEqual(earlier, [
    'insert notes.notes.body',
    'insert notes.notes.title',
    'insert notes.shares.access',
    'insert notes.shares.note_id',
    'insert notes.shares.user_id',
    'update notes.notes.body',
    'update notes.notes.title',
    'update notes.shares.access',
  ])
  await notes.owner.query('alter table notes.notes add is_verified boolean not null default false')
  assert.deepEqual(await writable(), earlier)
  const writes = [
    'update notes.notes set is_verified = true',
    `insert into notes.notes (title, is_verified) values ('Mine', true)`,
    `update notes.notes set (title, is_verified) = row ('Mine', true)`,
  ]
  for (const door of doors) {
    for (const user of [notes.ada, notes.dorothy]) {
      const answers = await assertNothingChanges(notes.owner, () =>
        notes.run(user, door, ...writes),
      )
      assert.match(JSON.stringify(answers), /42501/)
      assert.doesNotMatch(JSON.stringify(answers[door === 'pool' ? 2 : 0]), /rows/)
    }
  }
  const body = { title: 'By route', is_verified: true }
  const made = await notes.ada.ask('/notes', { body })
  assert.equal(made.body.is_verified, false)
  const id = made.body.id
  await notes.ada.ask(`/notes/${id}`, { method: 'PATCH', body })
  assert.equal((await notes.ada.ask(`/notes/${id}`)).body.is_verified, false)
})

test('a route that is sent an owner, an id or a time makes a note that is one’s own, and new', async () => {
  const theirs = { owner_id: notes.grace.id, id: crypto.randomUUID(), created_at: '2000-01-01' }
  const { status, body } = await notes.ada.ask('/notes', { body: { title: 'Mine', ...theirs } })
  assert.deepEqual([status, body.owner_id], [201, notes.ada.id])
  assert.notEqual(body.id, theirs.id)
  assert.ok(body.created_at > '2026')
  const changed = await notes.ada.ask(`/notes/${body.id}`, {
    method: 'PATCH',
    body: { title: 'Still mine', ...theirs },
  })
  assert.deepEqual([changed.status, changed.body.owner_id], [200, notes.ada.id])
})

test('nobody verifies an address, takes a role, or writes another’s row: by no route, and by no hole', async () => {
  const { ada, grace } = notes
  const { rows } = await notes.owner.query('select id from notes.notes where owner_id = $1', [
    grace.id,
  ])
  const hers = rows[0].id
  await assertNothingChanges(notes.owner, async () => {
    for (const body of [
      { is_verified: true },
      { roles: ['admin'] },
      { name: 'x', email_verified: true },
    ])
      assertProblem(await ada.ask('/users/me', { method: 'PATCH', body }), 400, 'invalid_request')
    const edit = { method: 'PATCH', body: { title: 'stolen' } }
    assertProblem(await ada.ask(`/notes/${hers}`, edit), 404, 'not_found')
    assertProblem(await ada.ask(`/notes/${hers}`, { method: 'DELETE' }), 404, 'not_found')
    const share = { method: 'PUT', body: { access: 'write' } }
    assertProblem(await ada.ask(`/notes/${hers}/shares/${ada.id}`, share), 403, 'forbidden')

    const writes = [
      'update pie_schema.user_emails set is_verified = true',
      `insert into pie_schema.user_roles (user_id, role) values ('${ada.id}', 'admin')`,
      `update pie_schema.users set name = 'stolen' where id <> '${ada.id}'`,
      `update notes.notes set title = 'stolen' where id = '${hers}'`,
      `update notes.notes set owner_id = '${ada.id}'`,
      `update notes.notes set owner_id = '${grace.id}' where owner_id = '${ada.id}'`,
      `insert into notes.notes (id, title) values ('${hers}', 'x') on conflict (id) do update set title = 'stolen'`,
      `insert into notes.shares (note_id, user_id, access) values ('${hers}', '${ada.id}', 'write')`,
      `update notes.shares set note_id = '${hers}'`,
      `delete from notes.notes where id = '${hers}'`,
    ]
    for (const door of doors) for (const write of writes) await notes.run(ada, door, write)
  })
})
