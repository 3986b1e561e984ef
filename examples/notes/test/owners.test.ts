import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openNotes, type TestNotes, type User } from './open-notes.ts'

let notes: TestNotes
let ada: User
let grace: User
let lise: User
let dorothy: User
before(async () => {
  notes = await openNotes()
  ada = await notes.signUp('ada')
  grace = await notes.signUp('grace')
  lise = await notes.signUp('lise')
  dorothy = await notes.signUpAdmin('dorothy')
})
after(() => notes?.close())

const graphql = async (user: User, query: string, variables = {}) => {
  const { status, body } = await user.ask('/graphql', { body: { query, variables } })
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.errors, undefined, JSON.stringify(body))
  return body.data
}
const oneNote = 'query ($id: UUID!) { note(id: $id) { title ownerId owner { displayName } } }'
const ownersOf = async (user: User, path = '/notes') =>
  Object.fromEntries(
    (await user.ask(path)).body.notes.map(
      ({ title, owner_name }: { title: string; owner_name: string | null }) => [title, owner_name],
    ),
  )

test('whoever reads a shared note sees who wrote it, in REST and GraphQL', async () => {
  const id = await ada.write('Plan', { shares: [{ user_id: grace.id, access: 'read' }] })
  assert.deepEqual(await ownersOf(grace), { Welcome: 'grace', Plan: 'ada' })
  assert.equal((await grace.ask(`/notes/${id}`)).body.owner_name, 'ada')
  assert.deepEqual(await graphql(grace, oneNote, { id }), {
    note: { title: 'Plan', ownerId: ada.id, owner: { displayName: 'ada' } },
  })
  const { notes: listed } = await graphql(
    grace,
    '{ notes { nodes { title owner { displayName } } } }',
  )
  assert.deepEqual(
    Object.fromEntries(
      listed.nodes.map((note: { title: string; owner: object }) => [note.title, note.owner]),
    ),
    { Plan: { displayName: 'ada' }, Welcome: { displayName: 'grace' } },
  )
})

test('the name is the one that the owner has now, and is no longer told when the share ends', async () => {
  const hedy = await notes.signUp('hedy')
  const id = await hedy.write('Torpedo', { shares: [{ user_id: grace.id, access: 'write' }] })
  assert.equal((await ownersOf(grace))['Torpedo'], 'hedy')
  await hedy.ask('/users/me', { method: 'PATCH', body: { name: 'Hedy Lamarr' } })
  assert.equal((await ownersOf(grace))['Torpedo'], 'Hedy Lamarr')
  const edited = await grace.ask(`/notes/${id}`, { method: 'PATCH', body: { body: 'Frequencies' } })
  assert.equal(edited.body.owner_name, 'Hedy Lamarr')
  await graphql(
    hedy,
    'mutation ($id: UUID!) { updateUser(input: { id: $id, patch: { name: "H" } }) { user { id } } }',
    { id: hedy.id },
  )
  assert.equal((await ownersOf(grace))['Torpedo'], 'H')

  const profile = 'query ($id: UUID!) { profile(userId: $id) { displayName } }'
  assert.deepEqual(await graphql(grace, profile, { id: hedy.id }), {
    profile: { displayName: 'H' },
  })
  await grace.ask(`/notes/${id}/shares/${grace.id}`, { method: 'DELETE' })
  assert.deepEqual(await graphql(grace, profile, { id: hedy.id }), { profile: null })
})

test('sharing with somebody tells nobody their name, and one who is not there is the same', async () => {
  await ada.write('For lise', { shares: [{ user_id: lise.id, access: 'read' }] })
  const profile = 'query ($id: UUID!) { profile(userId: $id) { displayName } }'
  for (const id of [lise.id, crypto.randomUUID()])
    assert.deepEqual(await graphql(ada, profile, { id }), { profile: null })
  assert.deepEqual(await graphql(ada, '{ profiles { totalCount nodes { userId } } }'), {
    profiles: { totalCount: 1, nodes: [{ userId: ada.id }] },
  })
  assert.deepEqual(await graphql(grace, '{ users { nodes { id } } }'), {
    users: { nodes: [{ id: grace.id }] },
  })
})

test('an admin sees who wrote what, and others see no name of theirs', async () => {
  const names = await ownersOf(dorothy, '/admin/notes')
  assert.equal(names['Plan'], 'ada')
  assert.deepEqual(
    await graphql(ada, 'query ($id: UUID!) { profile(userId: $id) { userId } }', {
      id: dorothy.id,
    }),
    { profile: null },
  )
})

test('somebody without a name wrote a note without one', async () => {
  await lise.ask('/users/me', { method: 'PATCH', body: { name: null } })
  await lise.write('Anonymous', { shares: [{ user_id: grace.id, access: 'read' }] })
  assert.equal((await ownersOf(grace))['Anonymous'], null)
  assert.equal((await ownersOf(lise))['Anonymous'], null)
})
