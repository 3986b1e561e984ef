import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  proofOf,
} from '../../database/test/people.ts'

let db: PeopledDatabase
let visitor: pg.Client
let renewer: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  visitor = await db.connectAs('pie_auth')
  renewer = await db.connectAs('pie_auth')
})
after(() => db.close())

const visit = (id: string) =>
  visitor.query(`select pie_private.visit_session($1, $2, '1 day')`, [id, [proofOf(id)]])

const renew = async (id: string, successor: string) => {
  const { rows } = await renewer.query(
    `select pie_private.renew_session($1, $2, $3, $4, '1 day', '7 days', '1 minute', null, null) as it`,
    [id, [proofOf(id)], successor, hashOf(proofOf(successor))],
  )
  return rows[0].it
}

/** Somebody's browser, unseen for a while. */
async function browserOf(name: string): Promise<string> {
  const { session } = await addPerson(db.owner, name)
  await db.owner.query(
    `update pie_private.sessions set kind = 'browser', last_seen_at = now() - interval '1 hour' where id = $1`,
    [session.id],
  )
  return session.id
}

const isAlive = async (id: string): Promise<boolean> => {
  const { rows } = await db.owner.query(
    'select expires_at > now() and revoked_at is null as is_alive from pie_private.sessions where id = $1',
    [id],
  )
  return rows[0].is_alive
}

const end = (id: string) =>
  db.owner.query('update pie_private.sessions set expires_at = clock_timestamp() where id = $1', [
    id,
  ])

describe('a visit that was under way when its session expired', () => {
  test('does not bring the session back beside its successor', async () => {
    const id = await browserOf('edith')
    await visitor.query('begin')
    await end(id)
    const successor = '6f1c2c5e-1111-4222-8333-444455556666'
    assert.notEqual(await renew(id, successor), null)
    await visit(id)
    await visitor.query('commit')
    assert.equal(await isAlive(id), false)
    assert.equal(await isAlive(successor), true)
  })

  test('does not undo that its user has other roles, and so gets another session', async () => {
    const id = await browserOf('joan')
    await visitor.query('begin')
    await db.owner.query(`select pie_private.grant_role('joan@example.com', 'editor')`)
    await visit(id)
    await visitor.query('commit')
    assert.equal(await isAlive(id), false)
  })

  test('moves the expiry on otherwise', async () => {
    const id = await browserOf('mary')
    await visit(id)
    const { rows } = await db.owner.query(
      `select expires_at > now() + interval '23 hours' as is_moved from pie_private.sessions where id = $1`,
      [id],
    )
    assert.equal(rows[0].is_moved, true)
  })
})
