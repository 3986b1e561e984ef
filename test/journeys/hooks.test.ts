import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { until } from '../harness/nodes.ts'
import {
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

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
