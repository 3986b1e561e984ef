import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
  someHash,
  untilItWaits,
} from './people.ts'
import { assertRefused, invalidAuthorization } from './refusals.ts'

let db: PeopledDatabase
let changer: pg.Client
let other: pg.Client
let operator: pg.Client
let emmy: Person
let people = 0
before(async () => {
  db = await openPeopledDatabase()
  changer = await db.connectAs('pie_auth')
  other = await db.connectAs('pie_auth')
  operator = await db.connectAs('owner')
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
})

const newHash = `${someHash}new`

async function change(client: pg.Client, hash = newHash): Promise<string | null> {
  const next = randomUUID()
  const { id, proof } = emmy.session
  const { rowCount } = await client.query(
    `select from pie_private.complete_password_change($1, $2, $3, $4, $5, $6, '1 hour', '1 day', null, null)`,
    [id, [proof], someHash, hash, next, hashOf(proofOf(next))],
  )
  return rowCount === 1 ? next : null
}

async function signIn(client: pg.Client): Promise<string | null> {
  const id = randomUUID()
  const { rowCount } = await client.query(
    `select from pie_private.complete_password_sign_in($1, $2, $3, $4, 'token', $5, '1 hour', '1 day', '192.0.2.1', null)`,
    [emmy.id, emmy.email, someHash, id, hashOf(proofOf(id))],
  )
  return rowCount === 1 ? id : null
}

const living = async (): Promise<string[]> =>
  (
    await db.owner.query(
      'select id from pie_private.sessions where user_id = $1 and revoked_at is null',
      [emmy.id],
    )
  ).rows.map(({ id }) => id)

const hashInUse = async (): Promise<string> =>
  (await db.owner.query('select hash from pie_private.passwords where user_id = $1', [emmy.id]))
    .rows[0]?.hash

test('a sign-in with the old password, not yet committed, is ended by the change', async () => {
  await other.query('begin')
  const signedIn = await signIn(other)
  assert.notEqual(signedIn, null)
  const changing = change(changer)
  await untilItWaits(db.owner, changer, changing)
  await other.query('commit')
  const next = await changing
  assert.deepEqual(await living(), [next])
})

test('a sign-in with the old password that waits for the change starts no session', async () => {
  await changer.query('begin')
  const next = await change(changer)
  const signingIn = signIn(other)
  await untilItWaits(db.owner, other, signingIn)
  await changer.query('commit')
  assert.equal(await signingIn, null)
  assert.deepEqual(await living(), [next])
})

test('of two changes at once from one session, one is made', async () => {
  await changer.query('begin')
  const next = await change(changer)
  const changing = change(other, `${someHash}other`)
  await untilItWaits(db.owner, other, changing)
  await changer.query('commit')
  assert.equal(await changing, null)
  assert.equal(await hashInUse(), newHash)
  assert.deepEqual(await living(), [next])
})

/** Ends the only session there is, in a transaction that the change then has to wait for. */
const endings: Record<string, () => string> = {
  'is disabled': () => `select pie_private.disable_user('${emmy.email}')`,
  'is signed out by the operator': () =>
    `select pie_private.revoke_sessions(null, '${emmy.email}')`,
  'signs out': () =>
    `select pie_private.end_session('${emmy.session.id}',
       array['\\x${emmy.session.proof.toString('hex')}'::bytea], 'logout', null)`,
}

for (const [what, end] of Object.entries(endings)) {
  test(`nothing is changed for a user who meanwhile ${what}, also when nothing else is left to end`, async () => {
    await operator.query('begin')
    await operator.query(end())
    const changing = change(changer)
    const outcome = changing.then(
      (next) => next,
      (error) => error.code,
    )
    await untilItWaits(db.owner, changer, changing)
    await operator.query('commit')
    assert.equal(await outcome, invalidAuthorization)
    assert.equal(await hashInUse(), someHash)
    assert.deepEqual(await living(), [])
  })

  test(`a user who ${what} while the change is not yet committed keeps no session of before`, async () => {
    await changer.query('begin')
    const next = await change(changer)
    const ending = operator.query(end())
    await untilItWaits(db.owner, operator, ending)
    await changer.query('commit')
    await ending
    assert.deepEqual(await living(), what === 'signs out' ? [next] : [])
    assert.equal(await hashInUse(), newHash)
    await assertRefused(db.owner, invalidAuthorization, () => db.request(emmy, 'select 1'))
  })
}

const works = { 'a change': change, 'a sign-in': signIn }

for (const [what, work] of Object.entries(works)) {
  test(`${what} of somebody who is being deleted is no deadlock, whichever comes first`, async () => {
    for (const isDeletedFirst of [true, false]) {
      emmy = await addPerson(db.owner, `gone${people}-${isDeletedFirst}`)
      // Holds both up before they have come to the user's row.
      const blocker = await db.connectAs('owner')
      await blocker.query('begin')
      await blocker.query('select from pie_schema.users where id = $1 for update', [emmy.id])
      const doBoth: [pg.Client, () => Promise<unknown>][] = [
        [operator, () => operator.query('select pie_private.delete_user($1)', [emmy.email])],
        [changer, () => work(changer)],
      ]
      if (!isDeletedFirst) doBoth.reverse()
      const doing: Promise<unknown>[] = []
      for (const [client, start] of doBoth) {
        const started = start()
        doing.push(started)
        await untilItWaits(db.owner, client, started)
      }
      await blocker.query('commit')
      const outcomes = await Promise.all(doing)
      assert.equal(outcomes.includes(null), isDeletedFirst, 'nothing is left to work on')
      assert.deepEqual(await living(), [])
      assert.equal(await hashInUse(), undefined)
    }
  })
}
