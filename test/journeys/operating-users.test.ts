/** What an operator asks first: `pie user list`, `show`, `password`, `email`, `pie role`, `pie permission`. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { testSecretKey } from '../harness/cluster.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'
import { type Finished, type RunOptions, runPie } from '../harness/process.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

const runWith = (options: RunOptions, ...args: string[]): Promise<Finished> =>
  runPie(args, { DATABASE_URL: pie.databaseUrl, SECRET_KEY: testSecretKey }, options)
const run = (...args: string[]) => runWith({}, ...args)

const runForJson = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

/** Asserts that a command ends in 1 with this sentence, and has changed nothing. */
async function assertFails(message: RegExp, ...args: string[]): Promise<void> {
  const earlier = await snapshot(pie.owner)
  const { code, stdout, stderr } = await run(...args)
  assert.match(stderr, message)
  assert.doesNotMatch(stderr, /\n {4}at /, 'a sentence, and no stack')
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
  assert.deepEqual(await snapshot(pie.owner), earlier)
}

let people = 0
let person: Answer['body']
let email: string
beforeEach(async () => {
  people += 1
  person = await register(pie, `person${people}`)
  email = person.user.email
})

const signIn = (password: string, address = email) =>
  pie.request('/auth/login', { body: { email: address, password } })

const emailsOf = ({ users }: { users: { email: string }[] }) => users.map((user) => user.email)

describe('pie user list', () => {
  test('lists everybody, the newest first, with what there is to know at a glance', async () => {
    const { users, total } = await runForJson('user', 'list')
    assert.equal(total, users.length)
    const [{ created_at, last_seen_at, ...user }] = users
    const { id } = person.user
    const expected = { id, email, name: null, roles: ['viewer'], state: 'active' }
    assert.deepEqual(user, expected)
    assert.ok(Date.parse(last_seen_at) >= Date.parse(created_at))
    const { stdout } = await run('user', 'list')
    assert.match(stdout, /^email +id +name +roles +state +created \(UTC\) +last seen \(UTC\)\n/)
    assert.match(stdout, new RegExp(`\n${email} +${id} +- +viewer +active +20\\d\\d-`))
  })

  test('finds a part of an address or of a name, whatever its case, and takes % for what it is', async () => {
    await pie.owner.query(`update pie_schema.users set name = 'Ångström 100%' where id = $1`, [
      person.user.id,
    ])
    for (const text of ['åNGSTRÖM', 'A\u030angstro\u0308m', '100%', `PERSON${people}@`])
      assert.deepEqual(emailsOf(await runForJson('user', 'list', text)), [email], text)
    assert.deepEqual(emailsOf(await runForJson('user', 'list', '%@%')), [])
    const { stdout } = await run('user', 'list', 'nobody of this name')
    assert.equal(stdout, 'There is no such user.\n')
  })

  test('only those with a role, only those who are disabled', async () => {
    await runForJson('user', 'grant', email, 'editor')
    assert.deepEqual(emailsOf(await runForJson('user', 'list', '--role', 'editor')), [email])
    assert.deepEqual(emailsOf(await runForJson('user', 'list', email, '--disabled')), [])
    await runForJson('user', 'disable', email)
    const found = await runForJson('user', 'list', email, '--disabled')
    assert.equal(found.users[0].state, 'disabled')
    await assertFails(
      /There is no role emperor\. There are: admin, editor, viewer/,
      ...['user', 'list', '--role', 'emperor'],
    )
  })

  test('shows 200 at most, and says how many there are', async () => {
    const many = '00000000-0000-4000-8000-000000000'
    await pie.owner.query(
      `insert into pie_schema.users (id, name) select ($1 || to_char(n, 'FM000'))::uuid, 'one of many'
       from generate_series(1, 205) as n`,
      [many],
    )
    const { users, total } = await runForJson('user', 'list', 'of many')
    assert.deepEqual({ shown: users.length, total }, { shown: 200, total: 205 })
    const { stdout } = await run('user', 'list', 'of many')
    assert.match(stdout, /\nThese are the newest 200 of 205\.\n$/)
    await pie.owner.query(`delete from pie_schema.users where name = 'one of many'`)
  })
})

describe('pie user show', () => {
  test('shows all there is of a user, by an address or the id', async () => {
    await runForJson('user', 'grant', email, 'admin')
    await pie.owner.query(
      'insert into pie_schema.user_emails (user_id, email, is_verified) values ($1, $2, true)',
      [person.user.id, `other-${email}`],
    )
    await signIn(goodPassword)
    const shown = await runForJson('user', 'show', `other-${email}`)
    const { created_at, last_seen_at, last_sign_in_at, ...rest } = shown
    assert.deepEqual(rest, {
      id: person.user.id,
      email,
      name: null,
      state: 'active',
      disabled_at: null,
      addresses: [
        { email, is_primary: true, is_verified: false },
        { email: `other-${email}`, is_primary: false, is_verified: true },
      ],
      roles: ['admin', 'viewer'],
      permissions: ['roles:read', 'roles:write', 'users:read', 'users:write'],
      live_sessions: 2,
    })
    for (const time of [created_at, last_seen_at, last_sign_in_at])
      assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000, time)
    const { sessions } = await runForJson('session', 'list', email)
    assert.equal(sessions.length, shown.live_sessions)
    const { stdout } = await run('user', 'show', person.user.id)
    assert.match(stdout, new RegExp(`^email +${email}, not verified\n`))
    assert.match(stdout, new RegExp(`\nother email +other-${email}, verified\n`))
    assert.match(stdout, /\nlive sessions +2\n$/)
  })

  test('says so when there is no such user', async () => {
    await assertFails(
      /There is no user with the address nobody@example\.com/,
      ...['user', 'show', 'nobody@example.com'],
    )
    const id = randomUUID()
    await assertFails(new RegExp(`There is no user with the id ${id}`), 'user', 'show', id)
    await assertFails(/must be an e-mail address/, 'user', 'show', "' or true --")
  })
})

describe('names that would command a terminal', () => {
  const name = 'a\u001b[31mb\u009bc\u007f\u2028\u202ed'
  const written = 'a\\u001b[31mb\\u009bc\\u007f\\u2028\\u202ed'

  test('are printed as JSON writes them, everywhere', async () => {
    await pie.owner.query('alter table pie_schema.users drop constraint users_name_is_one_line')
    await pie.owner.query('update pie_schema.users set name = $1 where id = $2', [
      name,
      person.user.id,
    ])
    await pie.owner.query(`insert into pie_schema.roles values ('sly', $1)`, [name])
    await pie.owner.query(`insert into pie_schema.permissions values ('sly:act', $1)`, [name])
    for (const command of [
      ['user', 'list', email],
      ['user', 'show', email],
      ['role', 'list'],
      ['permission', 'list'],
    ]) {
      const text = await run(...command)
      assert.ok(text.stdout.includes(`"${written}"`), text.stdout)
      const json = await run(...command, '--json')
      assert.ok(json.stdout.includes(written), json.stdout)
      for (const { stdout } of [text, json])
        assert.doesNotMatch(stdout, /[^\P{Cc}\n]|[\u2028\u202e]/u)
    }
    const { users } = await runForJson('user', 'list', email)
    assert.equal(users[0].name, name)
    await pie.owner.query(`delete from pie_schema.roles where name = 'sly'`)
    await pie.owner.query(`delete from pie_schema.permissions where name = 'sly:act'`)
  })

  test('nor does an argument come back raw in what is said of it', async () => {
    await assertFails(/There is no role \\u001b\[2J\./, 'user', 'grant', email, '\u001b[2J')
    await assertFails(/must be one line/, ...['role', 'create', 'sly', '--description', name])
  })
})

describe('pie user password', () => {
  test('makes a password, shows it once, and signs the user out everywhere', async () => {
    await signIn(goodPassword)
    const { password, ...changed } = await runForJson('user', 'password', email)
    assert.deepEqual(changed, { email, ended: 2 })
    assertProblem(await signIn(goodPassword), 401, 'invalid_credentials')
    const body = { refresh_token: person.refresh_token }
    assertProblem(await pie.request('/auth/refresh', { body }), 401, 'invalid_refresh_token')
    assert.equal((await signIn(password)).status, 200)
    const { stdout } = await run('user', 'password', email)
    const [, printed = ''] = /is signed out everywhere\.\nPassword: (\S{20})\n/.exec(stdout) ?? []
    assert.equal((await signIn(printed)).status, 200)
    const { rows } = await pie.owner.query(
      `select detail from pie_private.audit_log where user_id = $1 and event = 'password.changed'`,
      [person.user.id],
    )
    assert.deepEqual(rows, [{ detail: { by: 'operator' } }, { detail: { by: 'operator' } }])
  })

  test('takes one from standard input, and does not repeat it', async () => {
    const input = 'four unrelated words here\n'
    const finished = await runWith({ input }, 'user', 'password', email, '--password-stdin')
    assert.equal(finished.stdout, `${email} has a new password, and is signed out everywhere.\n`)
    assert.equal((await signIn(input.trim())).status, 200)
  })

  test('one that is made is as long as PASSWORD_MIN_LENGTH wants it', async () => {
    const { code, stdout, stderr } = await runPie(['user', 'password', email, '--json'], {
      DATABASE_URL: pie.databaseUrl,
      SECRET_KEY: testSecretKey,
      PASSWORD_MIN_LENGTH: '50',
    })
    assert.equal(code, 0, stderr)
    assert.ok(JSON.parse(stdout).password.length >= 50)
  })

  test('refuses what registering would refuse, and then nothing has changed', async () => {
    const refused = { '': /must have 1 to/, short: /at least 10/, [`${email}1`]: /too easy/ }
    for (const [input, message] of Object.entries(refused)) {
      const earlier = await snapshot(pie.owner)
      const finished = await runWith({ input }, 'user', 'password', email, '--password-stdin')
      assert.equal(finished.code, 1)
      assert.match(finished.stderr, message)
      assert.deepEqual(await snapshot(pie.owner), earlier)
    }
    assert.equal((await signIn(goodPassword)).status, 200)
    const nobody = /There is no user with the address nobody@example\.com/
    await assertFails(nobody, 'user', 'password', 'nobody@example.com')
    await assertFails(/email must be an e-mail address/, 'user', 'password', 'nobody')
  })
})

describe('pie user email', () => {
  test('changes what a user signs in with, which is then not verified', async () => {
    const newEmail = `moved${people}@example.com`
    assert.deepEqual(await runForJson('user', 'email', email, ` ${newEmail.toUpperCase()}`), {
      old_email: email,
      email: newEmail,
    })
    assertProblem(await signIn(goodPassword), 401, 'invalid_credentials')
    const { user } = (await signIn(goodPassword, newEmail)).body
    assert.deepEqual([user.id, user.email_verified], [person.user.id, false])
    const me = await pie.request('/users/me', { token: person.access_token })
    assert.equal(me.body.email, newEmail)
    const { stdout } = await run('user', 'email', newEmail, email)
    assert.equal(stdout, `${newEmail} is ${email} now, which is not verified.\n`)
  })

  test('refuses an address that is taken, one that is none, and a user who is not there', async () => {
    const other = (await register(pie, `other${people}`)).user.email
    await assertFails(/is taken\. pie user show/, 'user', 'email', email, other)
    await assertFails(/is this user's address already/, 'user', 'email', email, email)
    await assertFails(/new_email must be an e-mail address/, 'user', 'email', email, 'nowhere')
    const nobody = /There is no user with the address nobody@example\.com/
    await assertFails(nobody, 'user', 'email', 'nobody@example.com', 'new@example.com')
  })
})

describe('pie role', () => {
  test('makes one, gives it and takes it, in either order, and lists who has what', async () => {
    const role = `role-${people}`
    const description = 'Answers letters.'
    assert.deepEqual(await runForJson('role', 'create', role, '--description', description), {
      role,
      description,
    })
    for (const order of [
      [role, email],
      [email, role],
    ]) {
      assert.deepEqual(await runForJson('role', 'grant', ...order), { email, role })
      const { roles } = await runForJson('role', 'list')
      const [listed] = roles.filter(({ name }: { name: string }) => name === role)
      assert.deepEqual(listed, { name: role, description, permissions: [], users: 1 })
      assert.deepEqual(await runForJson('role', 'revoke', ...order), { email, role })
      assert.deepEqual((await runForJson('user', 'show', email)).roles, ['viewer'])
    }
    assert.deepEqual(await runForJson('user', 'grant', role, email), { email, role })
    const { stdout } = await run('role', 'list')
    assert.match(stdout, /^role +users +permissions +description\nadmin +\d+ +roles:read, /)
    assert.match(stdout, new RegExp(`\n${role} +1 +- +Answers letters\\.\n`))
  })

  test('makes none twice, and none of another form', async () => {
    await assertFails(/There is a role editor already/, 'role', 'create', 'editor')
    for (const name of ['', '-', 'x'.repeat(64)])
      await assertFails(/A role is called something like editor/, 'role', 'create', '--', name)
  })

  test('says what there is when a name is not there', async () => {
    const emperor = /There is no role emperor\. There are: admin, editor, /
    await assertFails(emperor, 'role', 'grant', 'emperor', email)
    await assertFails(/email must be an e-mail address/, 'role', 'grant', 'editor', 'ada')
    await assertFails(/There is no user with/, 'role', 'grant', 'editor', 'nobody@example.com')
  })
})

describe('pie permission', () => {
  test('makes one, gives it and takes it, in either order; who has the role may do it at once', async () => {
    const permission = `letters${people}:answer`
    await runForJson('permission', 'create', permission, '--description', 'Answer letters.')
    await runForJson('role', 'grant', 'editor', email)
    const mine = async () =>
      (await pie.request('/users/me', { token: person.access_token })).body.permissions
    for (const order of [
      [permission, 'editor'],
      ['editor', permission],
    ]) {
      const changed = { permission, role: 'editor' }
      assert.deepEqual(await runForJson('permission', 'grant', ...order), changed)
      assert.deepEqual(await mine(), [permission])
      const { stdout } = await run('permission', 'list')
      assert.match(stdout, new RegExp(`\n${permission} +editor +Answer letters\\.\n`))
      assert.deepEqual(await runForJson('permission', 'revoke', ...order), changed)
      assert.deepEqual(await mine(), [])
    }
    const { permissions } = await runForJson('permission', 'list')
    assert.deepEqual(permissions.at(-1), {
      name: 'users:write',
      description: 'Change other users.',
      roles: ['admin'],
    })
  })

  test('makes none twice, and none of another form', async () => {
    const already = /There is a permission users:read already/
    await assertFails(already, 'permission', 'create', 'users:read')
    for (const name of ['users', 'a:b:c', `${'x'.repeat(64)}:read`])
      await assertFails(/A permission is called something like/, 'permission', 'create', name)
  })

  test('says what there is when a name is not there', async () => {
    const crown = /There is no permission users:crown\. There are: .*users:read, users:write\./
    await assertFails(crown, 'permission', 'grant', 'users:crown', 'editor')
    await assertFails(/There is no role emperor/, 'permission', 'grant', 'emperor', 'users:read')
    await assertFails(/There is no permission editor/, 'permission', 'revoke', 'admin', 'editor')
  })
})
