import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
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
    assert.match(
      warnings[0] ?? '',
      /pie_hooks\.after_user_created failed with SQLSTATE AB123: no room/,
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
