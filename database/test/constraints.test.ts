import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { hashOf, openPeopledDatabase, type PeopledDatabase, proofOf, someHash } from './people.ts'
import { assertRefused, checkViolation, uniqueViolation } from './refusals.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

const register = (email: string, name: string | null = null) =>
  db.owner.query('select pie_private.register_user($1, $2, $3, $4, null) as id', [
    randomUUID(),
    email,
    name,
    someHash,
  ])

const local = 'a'.repeat(64)
const domain = (length: number) => `${'d'.repeat(length - 4)}.org`

test('plain addresses are stored', async () => {
  const addresses = [
    'a@b.co',
    "o'hara+pie@example.com",
    'x_y-z.1@sub.example.co.uk',
    '!#$%&*/=?^`{|}~@example.com',
    'user@xn--bcher-kva.example',
    `${local}@${domain(254 - 65)}`,
  ]
  for (const address of addresses) {
    const { rows } = await register(address)
    assert.ok(rows[0].id, address)
  }
})

test('an address in another case, with quotes, commas, line ends or look-alikes is refused', async () => {
  const addresses = [
    'Ada@example.com',
    'ada@Example.com',
    'ADA@EXAMPLE.COM',
    'ada@example.com,eve@example.com',
    'ada@example.com eve@example.com',
    'ada@example.com\neve@example.com',
    'ada@example.com\n',
    '\nada@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    ' ada@example.com',
    'ada@example.com ',
    '"ada"@example.com',
    '"ada eve"@example.com',
    '<ada@example.com>',
    'ada <ada@example.com>',
    'ada@@example.com',
    'ada@eve@example.com',
    'ada\uff20example.com',
    'ada\ufe6bexample.com',
    '\u0430da@example.com',
    'ada@ex\u0430mple.com',
    '\u212aay@example.com',
    'ada\u0131@example.com',
    'ada\u200b@example.com',
    'ada@example',
    'ada@.example.com',
    'ada@example..com',
    'ada@example.com.',
    '@example.com',
    'ada@',
    'ada@[192.0.2.1]',
    'ada(comment)@example.com',
    'ada;eve@example.com',
    'ada:eve@example.com',
    'ada\\@example.com',
    'ada\u0000@example.com',
    '',
    `${local}a@example.com`,
    `${local}@${domain(255 - 65)}`,
  ]
  for (const address of addresses) {
    await assertRefused(
      db.owner,
      [checkViolation, '22021'],
      () => register(address),
      JSON.stringify(address),
    )
  }
})

test('an address is one user for ever, and one of a user is the one that is written to', async () => {
  const add = (email: string, isPrimary: boolean) =>
    db.owner.query(
      'insert into pie_schema.user_emails (user_id, email, is_primary) values ($1, $2, $3)',
      [db.ada.id, email, isPrimary],
    )
  await assertRefused(db.owner, uniqueViolation, () => add(db.grace.email, false))
  await assertRefused(db.owner, uniqueViolation, () => add('second@example.com', true))
  await add('second@example.com', false)
})

test('an address is unverified until somebody says otherwise', async () => {
  const { rows } = await db.owner.query('select distinct is_verified from pie_schema.user_emails')
  assert.deepEqual(rows, [{ is_verified: false }])
})

test('a name is one line of 1 to 200 characters without space around it', async () => {
  const names = ['A', 'Ada Lovelace', 'x'.repeat(200), 'Zoë 🥧', "O'Hara", '<b>Ada</b>', '李']
  for (const [index, name] of names.entries()) {
    assert.ok((await register(`name${index}@example.com`, name)).rows[0].id)
  }
  const { rows } = await db.owner.query(
    `select name from pie_schema.users join pie_schema.user_emails on user_id = users.id
     where email like 'name%' order by email`,
  )
  assert.deepEqual(
    rows.map(({ name }) => name),
    names,
  )
  const refused = [
    '',
    ' ',
    ' Ada',
    'Ada ',
    'x'.repeat(201),
    'Ada\nLovelace',
    'Ada\r',
    'Ada\tLovelace',
    '\u007f',
    '\u001b[31mAda',
    'Ada\u0085Lovelace',
  ]
  for (const name of refused) {
    await assertRefused(
      db.owner,
      checkViolation,
      () => register('refused@example.com', name),
      JSON.stringify(name),
    )
  }
})

test('the separators of lines and paragraphs in Unicode end a line, and are no part of a name', async () => {
  for (const name of ['Ada\u2028Lovelace', 'Ada\u2029Lovelace']) {
    await assertRefused(db.owner, checkViolation, () => register('refused@example.com', name))
  }
})

test('a user writes no name that the owner could not', async () => {
  await assertRefused(db.owner, checkViolation, () =>
    db.request(db.ada, 'update pie_schema.users set name = $1', ['Ada\nLovelace']),
  )
})

test('a role is a word and a permission is a subject and a verb', async () => {
  const role = (name: string) =>
    db.owner.query(`insert into pie_schema.roles (name, description) values ($1, 'x')`, [name])
  const permission = (name: string) =>
    db.owner.query(`insert into pie_schema.permissions (name, description) values ($1, 'x')`, [
      name,
    ])
  await role('a_role-2')
  await permission('notes:read')
  for (const name of ['', 'Admin', 'admin ', '2nd', 'a b', 'a"b', 'a,b', 'admin\n', 'x'.repeat(64)])
    await assertRefused(db.owner, checkViolation, () => role(name), JSON.stringify(name))
  for (const name of ['', 'notes', 'notes:', ':read', 'notes:read:all', 'Notes:read', 'notes:*'])
    await assertRefused(db.owner, checkViolation, () => permission(name), name)
})

test('a session is of a known kind, keeps a SHA-256, ends in time, and is revoked for a reason', async () => {
  const start = (columns: Record<string, unknown>) => {
    const id = randomUUID()
    const row: Record<string, unknown> = {
      id,
      user_id: db.ada.id,
      kind: 'token',
      proof_hash: hashOf(proofOf(id)),
      methods: ['pwd'],
      expires_at: '2100-01-01',
      absolute_expires_at: '2100-01-02',
      ...columns,
    }
    const names = Object.keys(row)
    return db.owner.query(
      `insert into pie_private.sessions (${names}) values (${names.map((_, index) => `$${index + 1}`)})`,
      Object.values(row),
    )
  }
  await start({})
  const refused = [
    { kind: 'cookie' },
    { proof_hash: Buffer.alloc(31) },
    { proof_hash: Buffer.alloc(0) },
    { expires_at: '2100-01-03' },
    { revoked_at: '2026-01-01' },
    { revoked_reason: 'logout' },
    { assurance_level: 0 },
    { assurance_level: 4 },
    { user_agent: 'x'.repeat(513) },
  ]
  for (const columns of refused) {
    await assertRefused(db.owner, checkViolation, () => start(columns), JSON.stringify(columns))
  }
  await assertRefused(db.owner, '23503', () => start({ user_id: randomUUID() }))
  await assertRefused(db.owner, uniqueViolation, () => start({ id: db.ada.session.id }))
})
