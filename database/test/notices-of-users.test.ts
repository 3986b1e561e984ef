import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { gone, type Hear, openEar } from './notices.ts'
import { addPerson, openPeopledDatabase, type PeopledDatabase, type Person } from './people.ts'

let db: PeopledDatabase
let hear: Hear
let emmy: Person
let people = 0
before(async () => {
  db = await openPeopledDatabase()
  hear = await openEar(db)
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
})

const versionOf = async ({ id }: Person): Promise<number> =>
  Number(
    (await db.owner.query('select version from pie_schema.users where id = $1', [id])).rows[0]
      .version,
  )

const asOwner = (sql: string) => db.owner.query(sql.replaceAll('$emmy', `'${emmy.id}'`))

/** Runs something that must announce this person with a new and greater version, and nothing else. */
async function assertAnnounced(work: () => Promise<unknown>, message: string): Promise<void> {
  const before = await versionOf(emmy)
  const heard = await hear(work)
  const now = await versionOf(emmy)
  assert.ok(now > before, message)
  assert.deepEqual([...new Set(heard)], [`user ${emmy.id} ${now}`], message)
}

test('a change of any column of a user is announced with the new version', async () => {
  const { rows } = await db.owner.query(
    `select column_name as name from information_schema.columns
     where table_schema = 'pie_schema' and table_name = 'users' and column_name <> 'id'`,
  )
  assert.ok(rows.length >= 5)
  for (const { name } of rows) {
    // Also one that changes nothing: the version has grown.
    const update = `update pie_schema.users set ${name} = ${name} where id = $emmy`
    await assertAnnounced(() => asOwner(update), name)
  }
})

test('a new name is announced, whether the user, an admin or the owner writes it', async () => {
  const rename = `update pie_schema.users set name = 'Emmy' where id = '${emmy.id}'`
  await assertAnnounced(() => db.request(emmy, rename), 'the user')
  await assertAnnounced(() => db.request(db.dorothy, rename), 'an admin')
  await assertAnnounced(() => db.owner.query(rename), 'the owner')
})

test("a change of a user's addresses and roles is a new version of the user, and announced", async () => {
  for (const change of [
    `insert into pie_schema.user_emails (user_id, email) values ($emmy, 'second${people}@example.com')`,
    `update pie_schema.user_emails set is_verified = true where user_id = $emmy and is_primary`,
    `delete from pie_schema.user_emails where user_id = $emmy and not is_primary`,
    `insert into pie_schema.user_roles (user_id, role) values ($emmy, 'editor')`,
    `update pie_schema.user_roles set role = 'admin' where user_id = $emmy and role = 'editor'`,
    `delete from pie_schema.user_roles where user_id = $emmy and role = 'admin'`,
  ]) {
    await assertAnnounced(() => asOwner(change), change)
  }
})

test('an address that becomes another user’s is a new version of both', async () => {
  const before = [await versionOf(emmy), await versionOf(db.grace)]
  await asOwner(
    `insert into pie_schema.user_emails (user_id, email) values ($emmy, 'moving@example.com')`,
  )
  const heard = await hear(() =>
    db.owner.query(
      `update pie_schema.user_emails set user_id = $1 where email = 'moving@example.com'`,
      [db.grace.id],
    ),
  )
  const [emmys, graces] = [await versionOf(emmy), await versionOf(db.grace)]
  assert.deepEqual([emmys, graces], [(before[0] ?? 0) + 2, (before[1] ?? 0) + 1])
  assert.deepEqual(
    heard.sort(),
    [`user ${emmy.id} ${emmys}`, `user ${db.grace.id} ${graces}`].sort(),
  )
})

test('making a user is neither announced nor a second version: nobody can have seen them', async () => {
  let hedy: Person | undefined
  const heard = await hear(async () => {
    hedy = await addPerson(db.owner, `hedy${people}`)
  })
  assert.deepEqual(heard, [])
  assert.equal(await versionOf(hedy as Person), 1)
  const rows = await db.owner.query(
    `with made as (insert into pie_schema.users (id, name) values (gen_random_uuid(), 'lise') returning id),
     given as (insert into pie_schema.user_roles (user_id, role) select id, 'admin' from made)
     select id from made`,
  )
  assert.equal(await versionOf(rows.rows[0]), 1)
})

test('what comes to nothing is not announced', async () => {
  const heard = await hear(async () => {
    await asOwner('begin')
    await asOwner(`update pie_schema.users set name = 'x' where id = $emmy`)
    await asOwner(`insert into pie_schema.user_roles (user_id, role) values ($emmy, 'editor')`)
    await asOwner('rollback')
    await asOwner(`select pie_private.grant_role('${emmy.email}', 'viewer')`)
    await db.request(emmy, `update pie_schema.users set name = 'x' where id <> $1`, [emmy.id])
  })
  assert.deepEqual(heard, [])
})

test('disabling announces the user, and every session that it ends', async () => {
  const heard = await hear(() =>
    asOwner(`update pie_schema.users set disabled_at = now() where id = $emmy`),
  )
  assert.deepEqual(
    heard.sort(),
    [`session ${emmy.session.id} 2`, `user ${emmy.id} ${await versionOf(emmy)}`].sort(),
  )
})

test('a deleted user is announced as gone, also one without sessions', async () => {
  await asOwner('delete from pie_private.sessions where user_id = $emmy')
  const heard = await hear(() => asOwner('delete from pie_schema.users where id = $emmy'))
  assert.ok(heard.includes(`user ${emmy.id} ${gone}`))
})
