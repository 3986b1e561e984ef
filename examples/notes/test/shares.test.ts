import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertNothingChanges } from '../../../database/test/refusals.ts'
import { assertProblem } from '../../../test/harness/pie.ts'
import { openNotes, type TestNotes, type User } from './open-notes.ts'

let notes: TestNotes
let ada: User
let grace: User
let lise: User
before(async () => {
  notes = await openNotes()
  ada = await notes.signUp('ada')
  grace = await notes.signUp('grace')
  lise = await notes.signUp('lise')
})
after(() => notes?.close())

const share = (id: string, by: User, user_id: string, access: string) =>
  by.ask(`/notes/${id}/shares/${user_id}`, { method: 'PUT', body: { access } })
const unshare = (id: string, by: User, user_id: string) =>
  by.ask(`/notes/${id}/shares/${user_id}`, { method: 'DELETE' })
const edit = (id: string, by: User, title: string) =>
  by.ask(`/notes/${id}`, { method: 'PATCH', body: { title } })

test('a note shared to read is read, and neither edited, deleted nor shared on', async () => {
  const id = await ada.write('Plan')
  assert.equal((await share(id, ada, grace.id, 'read')).status, 204)
  assert.ok((await grace.titles()).includes('Plan'))
  assert.equal((await grace.ask(`/notes/${id}`)).body.title, 'Plan')
  await assertNothingChanges(notes.owner, async () => {
    assertProblem(await edit(id, grace, 'x'), 404, 'not_found')
    assertProblem(await grace.ask(`/notes/${id}`, { method: 'DELETE' }), 404, 'not_found')
    assertProblem(await share(id, grace, lise.id, 'read'), 403, 'forbidden')
    assertProblem(await share(id, grace, grace.id, 'write'), 403, 'forbidden')
  })
})

test('a note shared to write is edited too, and stays its owner’s', async () => {
  const id = await ada.write('Draft', { shares: [{ user_id: grace.id, access: 'write' }] })
  const edited = await edit(id, grace, 'Better draft')
  assert.deepEqual([edited.status, edited.body.owner_id], [200, ada.id])
  assert.equal((await ada.ask(`/notes/${id}`)).body.title, 'Better draft')
  await assertNothingChanges(notes.owner, async () => {
    assertProblem(await grace.ask(`/notes/${id}`, { method: 'DELETE' }), 404, 'not_found')
    assertProblem(await share(id, grace, lise.id, 'read'), 403, 'forbidden')
  })
})

test('a share is changed by giving it again', async () => {
  const id = await ada.write('Changed', { shares: [{ user_id: grace.id, access: 'write' }] })
  await share(id, ada, grace.id, 'read')
  assertProblem(await edit(id, grace, 'x'), 404, 'not_found')
  await share(id, ada, grace.id, 'write')
  assert.equal((await edit(id, grace, 'Changed by grace')).status, 200)
})

test('whoever is named twice has the greater access', async () => {
  const shares = ['read', 'write', 'read'].map((access) => ({ user_id: grace.id, access }))
  const id = await ada.write('Thrice', { shares })
  assert.equal((await edit(id, grace, 'By grace')).status, 200)
})

test('a share ends when its owner takes it back, and when its user gives it back', async () => {
  const id = await ada.write('Brief')
  for (const by of [ada, grace]) {
    await share(id, ada, grace.id, 'read')
    assert.equal((await unshare(id, by, grace.id)).status, 204)
    assertProblem(await grace.ask(`/notes/${id}`), 404, 'not_found')
  }
})

test('who has a share is told to the note’s owner, and to each only about themselves', async () => {
  const shares = [
    { user_id: grace.id, access: 'read' },
    { user_id: lise.id, access: 'write' },
  ]
  const id = await ada.write('For two', { shares })
  const listed = async (user: User) => (await user.ask(`/notes/${id}/shares`)).body.shares
  assert.deepEqual(
    new Set(await listed(ada)),
    new Set(shares.toSorted((a, b) => a.user_id.localeCompare(b.user_id))),
  )
  assert.deepEqual(await listed(grace), [shares[0]])
  await assertNothingChanges(notes.owner, async () => {
    assertProblem(await unshare(id, grace, lise.id), 404, 'not_found')
  })
  const mary = await notes.signUp('mary')
  assert.deepEqual(await listed(mary), [])
})

test('sharing somebody else’s note is refused in the same words whether or not it is there', async () => {
  const there = await ada.write('Hidden', { shares: [{ user_id: lise.id, access: 'read' }] })
  await assertNothingChanges(notes.owner, async () => {
    const answers = [
      await share(there, grace, lise.id, 'read'),
      await share(there, grace, grace.id, 'read'),
      await share(there, grace, crypto.randomUUID(), 'read'),
      await share(crypto.randomUUID(), grace, lise.id, 'read'),
    ]
    for (const answer of answers) {
      assertProblem(answer, 403, 'forbidden')
      assert.deepEqual(answer.body, answers[0]?.body)
    }
  })
})

test('a note that is shared with nobody there is is not made', async () => {
  const shares = [
    { user_id: grace.id, access: 'read' },
    { user_id: crypto.randomUUID(), access: 'read' },
  ]
  await assertNothingChanges(notes.owner, async () => {
    assertProblem(await ada.ask('/notes', { body: { title: 'Half', shares } }), 409, 'conflict')
    const wrong = [{ user_id: grace.id, access: 'own' }]
    const refused = await ada.ask('/notes', { body: { title: 'Wrong', shares: wrong } })
    assertProblem(refused, 400, 'invalid_request')
  })
})

test('whoever signs up with an address that was somebody’s has none of their shares', async () => {
  const hedy = await notes.signUp('hedy')
  await ada.write('For hedy', { shares: [{ user_id: hedy.id, access: 'read' }] })
  await notes.owner.query('select pie_private.delete_user($1)', [hedy.email])
  assert.deepEqual(await (await notes.signUp('hedy')).titles(), ['Welcome'])
})
