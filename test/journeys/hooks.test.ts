import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import {
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const running: TestPie[] = []
after(() => Promise.all(running.map((pie) => pie.close())))

/** A Pie whose application's hook fails whenever a user is made. */
async function startWithBrokenHook(settings: Record<string, string>): Promise<TestPie> {
  const pie = await startTestPie({ settings })
  running.push(pie)
  await pie.owner.query(`
    create function pie_hooks.after_user_created(user_id uuid) returns void
      language plpgsql as $$ begin raise exception 'no room' using errcode = 'AB123'; end $$`)
  return pie
}

const register = (pie: TestPie) =>
  pie.request('/auth/register', { body: { email: 'ada@example.com', password: goodPassword } })

describe('when a hook of the application fails', () => {
  test('the sign-up succeeds, and the log has function, SQLSTATE and reason', async () => {
    const pie = await startWithBrokenHook({})
    assert.equal((await register(pie)).status, 201)
    const warnings = pie.log.filter((line) => line.includes('pie_hooks'))
    assert.equal(warnings.length, 1)
    const { msg, warning } = JSON.parse(warnings[0] ?? '{}')
    assert.equal(msg, 'SQL warns')
    assert.match(warning, /pie_hooks\.after_user_created failed with SQLSTATE AB123: no room/)
  })

  test('what SQL warns of is no line of Pie’s, is cut, and fills no log', async () => {
    const pie = await startTestPie()
    running.push(pie)
    await pie.owner.query(`
      create function pie_hooks.after_user_created(user_id uuid) returns void language plpgsql as $$
        begin for at in 1..60 loop raise warning '%', 'Pie is running' || repeat('x', 9000); end loop; end $$`)
    assert.equal((await register(pie)).status, 201)
    await until(() => pie.log.some((line) => line.includes('SQL warns of more than is told')))
    const lines = pie.log.map((line) => JSON.parse(line)).filter(({ level }) => level === 40)
    const told = lines.filter(({ msg }) => msg === 'SQL warns')
    assert.equal(told.length, 10)
    for (const { warning } of told) assert.match(warning, /^Pie is runningx{486}$/)
    const more = lines.filter(({ msg }) => msg === 'SQL warns of more than is told')
    assert.deepEqual(
      more.map(({ untold }) => untold),
      [50],
    )
  })

  test('with HOOK_FAILURES=refuse the sign-up is refused, tells nobody why, and leaves nothing', async () => {
    const pie = await startWithBrokenHook({ HOOK_FAILURES: 'refuse' })
    const counters = ['pie_private.throttles']
    const earlier = await snapshot(pie.owner, counters)
    const answer = await register(pie)
    assertProblem(answer, 500, 'hook_failed')
    assert.doesNotMatch(JSON.stringify(answer.body), /no room|AB123/)
    assert.deepEqual(await snapshot(pie.owner, counters), earlier)
    assert.ok(pie.log.some((line) => line.includes('AB123: no room')))
  })
})

describe('a hook that hears of changed users', () => {
  test('is called by whichever door, once for each change, and not for what changes none of it', async () => {
    const pie = await startTestPie()
    running.push(pie)
    await pie.owner.query(`
      create table public.calls (user_id uuid);
      create function pie_hooks.after_user_changed(user_id uuid) returns void
        language plpgsql as $$ begin insert into public.calls values (user_id); end $$`)
    const settings = { DATABASE_URL: pie.databaseUrl, SECRET_KEY: testSecretKey }
    const password = goodPassword
    const email = 'ada@example.com'
    let token = ''
    let id = ''
    const enter = async (path: string, more = {}) => {
      const { body } = await pie.request(path, { body: { email, password, ...more } })
      token = body.access_token
      id = body.user.id
    }
    const command = async (...args: string[]) => {
      const { code, stderr } = await runPie(args, settings)
      assert.equal(code, 0, stderr)
    }
    const patch = (name: string) =>
      pie.request('/users/me', { method: 'PATCH', token, body: { name } })
    const query =
      'mutation ($id: UUID!) { updateUser(input: { id: $id, patch: { name: "By GraphQL" } }) { user { name } } }'
    const doors: [door: string, calls: 0 | 1, work: () => Promise<unknown>][] = [
      ['registering', 0, () => enter('/auth/register', { name: 'Ada' })],
      [
        'pie user create --admin',
        0,
        () => command('user', 'create', 'dorothy@example.com', '--admin'),
      ],
      ['signing in', 0, () => enter('/auth/login')],
      ['PATCH /users/me', 1, () => patch('Ada L.')],
      ['PATCH /users/me with the name there is', 0, () => patch('Ada L.')],
      ['GraphQL', 1, () => pie.request('/graphql', { token, body: { query, variables: { id } } })],
      ['pie role grant', 1, () => command('role', 'grant', 'editor', email)],
      [
        'pie role grant, of a role that is there',
        0,
        () => command('role', 'grant', 'editor', email),
      ],
      ['pie role revoke', 1, () => command('role', 'revoke', 'editor', email)],
      ['pie user disable', 1, () => command('user', 'disable', email)],
      ['pie user enable', 1, () => command('user', 'enable', email)],
      ['pie user password', 0, () => command('user', 'password', email)],
      ['pie user email', 1, () => command('user', 'email', email, 'lovelace@example.com')],
      ['pie user delete', 0, () => command('user', 'delete', 'lovelace@example.com', '--yes')],
    ]
    for (const [door, calls, work] of doors) {
      await work()
      const { rows } = await pie.owner.query('delete from public.calls returning user_id')
      assert.deepEqual(rows, calls === 0 ? [] : [{ user_id: id }], door)
    }
  })
})
