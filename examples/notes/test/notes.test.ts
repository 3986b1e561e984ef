import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertNothingChanges } from '../../../database/test/refusals.ts'
import { assertProblem } from '../../../test/harness/pie.ts'
import { openNotes, type TestNotes, type User } from './open-notes.ts'

let notes: TestNotes
let ada: User
let grace: User
let dorothy: User
before(async () => {
  notes = await openNotes()
  ada = await notes.signUp('ada')
  grace = await notes.signUp('grace')
  dorothy = await notes.signUpAdmin('dorothy')
})
after(() => notes?.close())

describe('a note', () => {
  test('is there to welcome whoever signs up', async () => {
    const lise = await notes.signUp('lise')
    assert.deepEqual(await lise.titles(), ['Welcome'])
  })

  test('is made, read, edited and deleted by its owner', async () => {
    const id = await ada.write('Groceries', { body: 'Milk' })
    const edited = await ada.ask(`/notes/${id}`, { method: 'PATCH', body: { body: 'Milk, bread' } })
    assert.equal(edited.status, 200)
    const { body: note } = await ada.ask(`/notes/${id}`)
    assert.deepEqual(
      { title: note.title, body: note.body, owner: note.owner_id },
      { title: 'Groceries', body: 'Milk, bread', owner: ada.id },
    )
    assert.ok(note.updated_at > note.created_at)
    assert.equal((await ada.ask(`/notes/${id}`, { method: 'DELETE' })).status, 204)
    assertProblem(await ada.ask(`/notes/${id}`), 404, 'not_found')
  })

  test('is as if it were not there for everybody else', async () => {
    const id = await ada.write('Diary')
    const nowhere = crypto.randomUUID()
    for (const options of [{}, { method: 'DELETE' }, { method: 'PATCH', body: { title: 'x' } }]) {
      const refused = await assertNothingChanges(notes.owner, () =>
        grace.ask(`/notes/${id}`, options),
      )
      assertProblem(refused, 404, 'not_found')
      assert.deepEqual((await grace.ask(`/notes/${nowhere}`, options)).body, refused.body)
    }
    assert.ok(!(await grace.titles()).includes('Diary'))
  })

  test('is for nobody who is not signed in', async () => {
    const id = await ada.write('Private')
    await assertNothingChanges(notes.owner, async () => {
      assertProblem(await notes.ask('/notes'), 401, 'unauthenticated')
      assertProblem(await notes.ask(`/notes/${id}`), 401, 'unauthenticated')
      assertProblem(await notes.ask('/notes', { body: { title: 'x' } }), 401, 'unauthenticated')
    })
  })

  test('has a title, and is not too long', async () => {
    await assertNothingChanges(notes.owner, async () => {
      for (const body of [{}, { title: '' }, { title: 'x'.repeat(201) }, { title: 'x\0' }]) {
        assertProblem(await ada.ask('/notes', { body }), 400, 'invalid_request')
      }
      const long = { title: 'Long', body: 'x'.repeat(10_001) }
      assertProblem(await ada.ask('/notes', { body: long }), 400, 'invalid_request')
    })
  })

  test('goes with its owner', async () => {
    const hedy = await notes.signUp('hedy')
    await hedy.write('Torpedo', { shares: [{ user_id: ada.id, access: 'read' }] })
    assert.ok((await ada.titles()).includes('Torpedo'))
    await notes.owner.query('select pie_private.delete_user($1)', [hedy.email])
    assert.ok(!(await ada.titles()).includes('Torpedo'))
  })
})

describe('the list of notes', () => {
  test('comes in pages, each note once, the newest first, also while others are added', async () => {
    const emmy = await notes.signUp('emmy')
    // Many of one moment: what tells them apart is then their id.
    await notes.owner.query(
      `insert into notes.notes (owner_id, title, created_at)
       select $1, 'Note ' || n, now() - interval '1 hour' + make_interval(secs => n / 40)
       from generate_series(1, 120) as n`,
      [emmy.id],
    )
    const seen: { id: string; created_at: string }[] = []
    const sizes: number[] = []
    for (let next: string | null = '/notes'; next !== null; ) {
      const { body } = await emmy.ask(next)
      seen.push(...body.notes)
      sizes.push(body.notes.length)
      next = body.next
      if (sizes.length === 1) await emmy.write('Added meanwhile')
    }
    assert.deepEqual(sizes, [50, 50, 21])
    assert.equal(new Set(seen.map(({ id }) => id)).size, 121)
    const order = seen.map(({ created_at, id }) => `${created_at} ${id}`)
    assert.deepEqual(order, order.toSorted().reverse())
  })

  test('refuses a page that begins nowhere', async () => {
    for (const query of ['before=x&before_id=y', 'before=2026-01-01T00:00:00Z']) {
      assertProblem(await ada.ask(`/notes?${query}`), 400, 'invalid_request')
    }
  })

  test('of an admin is their own, and beside it there is everybody’s', async () => {
    await ada.write('Of ada')
    assert.deepEqual(await dorothy.titles(), ['Welcome'])
    const all = await dorothy.titles('/admin/notes')
    assert.ok(all.includes('Of ada') && all.length > 4)
  })

  test('of everybody is one’s own for whoever is no admin, from the moment that they are none', async () => {
    await ada.write('Of ada alone')
    assert.deepEqual(await grace.titles('/admin/notes'), ['Welcome'])
    const mary = await notes.signUpAdmin('mary')
    assert.ok((await mary.titles('/admin/notes')).includes('Of ada alone'))
    await notes.owner.query('select pie_private.revoke_role($1, $2)', [mary.email, 'admin'])
    assert.deepEqual(await mary.titles('/admin/notes'), ['Welcome'])
  })

  test('of an admin may be read, and not changed', async () => {
    const id = await ada.write('Seen by dorothy')
    assert.equal((await dorothy.ask(`/notes/${id}`)).status, 200)
    await assertNothingChanges(notes.owner, async () => {
      const edit = { method: 'PATCH', body: { title: 'x' } }
      assertProblem(await dorothy.ask(`/notes/${id}`, edit), 404, 'not_found')
      assertProblem(await dorothy.ask(`/notes/${id}`, { method: 'DELETE' }), 404, 'not_found')
    })
  })
})

test('the front page greets whoever comes', async () => {
  assert.deepEqual((await ada.ask('/')).body, { hello: 'ada' })
  assert.deepEqual((await notes.ask('/')).body, { hello: 'stranger' })
})
