import { measureServer } from '../load/measure-server.ts'
import { runLoad } from '../load/run-load.ts'
import { takeTurns } from '../load/take-turns.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import { loginExchange, usersMeExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { LOGIN_CONNECTIONS } from './login.ts'

const CONNECTIONS = 10
/** A rate that Pie keeps up with, calm or not: at its limit, p99 would only show the queue. */
const REQUESTS_PER_SECOND = Number(process.env['RATE'] ?? 300) || undefined

/** The p99 of `GET /users/me` while every core is busy with passwords, beside its p99 when it is calm. */
export async function measureStorm(
  stage: Stage,
  { seconds, rounds }: Options,
): Promise<Measurement[]> {
  const nextSession = takeTurns(stage.sessions)
  const nextAccount = takeTurns(stage.accounts)
  const usersMe = () =>
    measureServer(stage.pie, {
      connections: CONNECTIONS,
      seconds,
      ...(REQUESTS_PER_SECOND !== undefined && { requestsPerSecond: REQUESTS_PER_SECOND }),
      next: () => usersMeExchange(nextSession()),
    })
  const logins = () =>
    runLoad({
      address: stage.pie.address,
      connections: LOGIN_CONNECTIONS,
      seconds,
      next: () => loginExchange(nextAccount(), stage.password),
    })
  const measured = await measureInTurn(rounds, usersMe, async () => {
    const [inStorm, storm] = await Promise.all([usersMe(), logins()])
    return { ...inStorm, loginsPerSecond: storm.requestsPerSecond }
  })
  return [
    compare({ scenario: 'storm', unit: 'p99 ms', aim: '≤ 3' }, measured, ({ p99Ms }) => p99Ms),
  ]
}
