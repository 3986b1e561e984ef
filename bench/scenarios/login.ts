import { availableParallelism } from 'node:os'
import { openHttpConnection } from '../load/http-connection.ts'
import { formatRequest } from '../load/http-request.ts'
import { runLoad } from '../load/run-load.ts'
import { takeTurns } from '../load/take-turns.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import { loginExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'

/** Enough for each core to have a next password waiting, and far from what Pie's limits allow. */
export const LOGIN_CONNECTIONS = Math.min(8 * availableParallelism(), 32)
const WARM_UP_SECONDS = 1

/** `POST /auth/login` beside raw argon2id on all cores: as many threads, no HTTP, no database. */
export async function measureLogin(
  stage: Stage,
  { seconds, rounds }: Options,
): Promise<Measurement[]> {
  const nextAccount = takeTurns(stage.accounts)
  const signInFor = async (forSeconds: number) => {
    const { requestsPerSecond } = await runLoad({
      address: stage.pie.address,
      connections: LOGIN_CONNECTIONS,
      seconds: forSeconds,
      next: () => loginExchange(nextAccount(), stage.password),
    })
    return requestsPerSecond
  }
  await verifyPasswords(stage, WARM_UP_SECONDS)
  await signInFor(WARM_UP_SECONDS)
  const measured = await measureInTurn(
    rounds,
    () => verifyPasswords(stage, seconds),
    () => signInFor(seconds),
  )
  return [compare({ scenario: 'login', unit: 'per second', aim: '≥ 0.9' }, measured, Number)]
}

async function verifyPasswords(stage: Stage, seconds: number): Promise<number> {
  const connection = await openHttpConnection(stage.floor.address)
  try {
    const { status, body } = await connection.exchange(
      formatRequest({
        method: 'POST',
        path: '/verify-passwords',
        body: {
          hash: stage.passwordHash,
          password: stage.password,
          seconds,
          parallel: availableParallelism(),
        },
      }),
    )
    if (status !== 200) throw new Error(`the floor answered ${status}: ${body}`)
    return JSON.parse(body).verifiedPerSecond
  } finally {
    connection.close()
  }
}
