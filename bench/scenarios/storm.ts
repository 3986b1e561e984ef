import { measureServer, type ServerMeasurement } from '../load/measure-server.ts'
import { runLoad } from '../load/run-load.ts'
import { takeTurns } from '../load/take-turns.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import { loginExchange, usersMeExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { LOGIN_CONNECTIONS } from './login.ts'

const CONNECTIONS = 10
/** What Pie keeps up with, calm or not: what a person waits, rather than how long a queue is. */
const STEADY_REQUESTS_PER_SECOND = 500
/** Until the threads that hash are there. */
const WARM_UP_SECONDS = 0.5

/**
 * The p99 of `GET /users/me` while passwords keep every core busy, beside its p99 when it is calm: at
 * a steady rate, and with as many requests as are answered.
 */
export async function measureStorm(stage: Stage, options: Options): Promise<Measurement[]> {
  const steady = { requestsPerSecond: STEADY_REQUESTS_PER_SECOND }
  return [
    await compareWithCalm('storm, steady', stage, options, steady),
    await compareWithCalm('storm, full load', stage, options, {}),
  ]
}

async function compareWithCalm(
  scenario: string,
  stage: Stage,
  { seconds, rounds }: Options,
  rate: { requestsPerSecond?: number },
): Promise<Measurement> {
  const nextSession = takeTurns(stage.sessions)
  const nextAccount = takeTurns(stage.accounts)
  const usersMe = (): Promise<ServerMeasurement> => {
    const next = () => usersMeExchange(nextSession())
    return measureServer(stage.pie, { connections: CONNECTIONS, seconds, ...rate, next })
  }
  const logins = (forSeconds: number) =>
    runLoad({
      address: stage.pie.address,
      connections: LOGIN_CONNECTIONS,
      seconds: forSeconds,
      next: () => loginExchange(nextAccount(), stage.password),
    })
  await logins(WARM_UP_SECONDS)
  const measured = await measureInTurn(rounds, usersMe, async () => {
    const [inStorm, storm] = await Promise.all([usersMe(), logins(seconds)])
    return { ...inStorm, loginsPerSecond: storm.requestsPerSecond }
  })
  return compare({ scenario, unit: 'p99 ms', aim: '≤ 3' }, measured, ({ p99Ms }) => p99Ms)
}
