import { proveSession } from '../../server/src/features/sessions/prove-session.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { type Database, openDatabase } from '../../server/src/ground/database/pool.ts'
import {
  requestTransaction,
  type SessionCredential,
} from '../../server/src/ground/database/request-transaction.ts'
import { withSession } from '../../server/src/ground/database/with-session.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { startTcpProxy } from '../../test/harness/tcp-proxy.ts'
import { runWork } from '../load/run-work.ts'
import { takeTurns } from '../load/take-turns.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import { urlOfCream } from '../stage/owner-url.ts'
import type { Stage } from '../stage/set-stage.ts'

/** How long the network takes each way, as far as Node's timers keep to it. */
const DELAYS_MS = [0, 1, 5]
const WARM_UP_SECONDS = 0.5

const work = { name: 'who_am_i', text: 'select pie_schema.current_user_id() as id' }

type Way = (database: Database, credential: SessionCredential) => Promise<string | undefined>

/** What everybody writes first: each statement is awaited before the next is sent. */
const oneByOne: Way = async (database, { sessionId, proofs }) => {
  const client = await database.connect()
  try {
    await client.query('begin')
    await client.query({
      name: 'authenticate',
      text: 'select pie_private.authenticate($1, $2)',
      values: [sessionId, proofs[0]],
    })
    const { rows } = await client.query(work)
    await client.query('commit')
    return rows[0]?.id
  } finally {
    client.release()
  }
}

const ways: Record<string, Way> = {
  'one round trip': async (database, credential) => {
    const [rows] = await requestTransaction(database, credential, { ...work, values: [] })
    return rows?.[0]?.['id']
  },
  withSession: (database, credential) =>
    withSession(database, credential, async (tx) => (await tx.query(work)).rows[0]?.id),
}

/**
 * How long a request transaction of one query takes, one after the other on one connection, beside the
 * same with each of its four statements awaited.
 */
export async function measureRoundTrips(stage: Stage, options: Options): Promise<Measurement[]> {
  const url = urlOfCream(stage).revealText()
  const network = await startTcpProxy(url)
  const database = openDatabase(Secret.fromText(network.through(url)), createLog('silent', false), {
    connections: 1,
  })
  const next = takeTurns(stage.sessions)
  const measurements: Measurement[] = []
  for (const delayMs of DELAYS_MS) {
    network.delay(delayMs)
    const run = (seconds: number, way: Way) =>
      runWork({ atOnce: 1, seconds }, async () => {
        const { sessionId, userId } = next()
        const found = await way(database, proveSession(stage.keys, sessionId))
        if (found !== userId) throw new Error(`${found} was found in place of ${userId}`)
      })
    const ping = await runWork({ atOnce: 1, seconds: WARM_UP_SECONDS }, async () => {
      await database.pool.query('select')
    })
    for (const [name, way] of Object.entries(ways)) {
      await run(WARM_UP_SECONDS, oneByOne)
      await run(WARM_UP_SECONDS, way)
      const measured = await measureInTurn(
        options.rounds,
        () => run(options.seconds, oneByOne),
        () => run(options.seconds, way),
      )
      // A bare query there and back says what the network really takes.
      const scenario = `${name}, +${delayMs} ms each way (${ping.p50Ms.toFixed(1)} there and back)`
      const description = { scenario, unit: 'p50 ms', aim: null }
      measurements.push(compare(description, measured, ({ p50Ms }) => p50Ms))
    }
  }
  await database.pool.end()
  await network.close()
  return measurements
}
