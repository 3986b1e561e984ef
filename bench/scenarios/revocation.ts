import { runLoad } from '../load/run-load.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { quantile } from '../quantile.ts'
import type { PieUnderTest } from '../servers/start-pie.ts'
import { sessionExchange } from '../stage/cookie-session.ts'
import { openRevocations, type Revocations } from '../stage/revocations.ts'
import type { Stage } from '../stage/set-stage.ts'

const NODES = 3
/** Of each kind, in all rounds. */
const REVOCATIONS = 200
/** The load on each node: what it keeps up with. How many sessions it uses, and how many connections. */
const STEADY_REQUESTS_PER_SECOND = 1_000
const SESSIONS_IN_USE = 2_000
const CONNECTIONS = 10

const ways = { byRequest: 'revocation', bySql: 'revocation by SQL' } as const
type Way = keyof typeof ways

/**
 * From the answer to whoever revokes a session until the last of three nodes refuses it, while it is used
 * on each as fast as that answers: revoked on one node, and by SQL, which tells none of them; with
 * nothing else to do, and while all three answer other requests at a steady rate.
 */
export async function measureRevocation(stage: Stage, { rounds }: Options): Promise<Measurement[]> {
  const valkey = await stage.startValkey('revocation is measured without a shared cache')
  const settings = {
    DATABASE_CONNECTIONS: '4',
    ...(valkey !== null && { CACHE_URL: valkey.url }),
  }
  const nodes: PieUnderTest[] = []
  for (let count = 0; count < NODES; count += 1) nodes.push(await stage.startNode(settings))
  const each = Math.ceil(REVOCATIONS / rounds)
  const revocations = await openRevocations(stage, nodes, 4 * each * rounds)
  const delays = {
    idle: { byRequest: [] as number[], bySql: [] as number[] },
    'under load': { byRequest: [] as number[], bySql: [] as number[] },
  }
  try {
    for (let round = 0; round < rounds; round += 1) {
      await revokeBothWays(revocations, each, delays.idle)
      await underLoad(stage, nodes, () => revokeBothWays(revocations, each, delays['under load']))
    }
  } finally {
    await revocations.close()
  }
  for (const server of [...nodes, ...(valkey === null ? [] : [valkey])]) await server.stop()
  return Object.entries(delays).flatMap(([condition, found]) =>
    Object.entries(ways).flatMap(([way, name]) =>
      describeDelays(`${name}, ${condition}`, found[way as Way]),
    ),
  )
}

async function revokeBothWays(
  revocations: Revocations,
  each: number,
  delays: Record<Way, number[]>,
): Promise<void> {
  for (let count = 0; count < each; count += 1) {
    delays.byRequest.push(await revocations.byRequest())
    delays.bySql.push(await revocations.bySql())
  }
}

async function underLoad(
  { cookies }: Stage,
  nodes: readonly PieUnderTest[],
  work: () => Promise<void>,
): Promise<void> {
  const next = takeTurns(cookies.slice(0, SESSIONS_IN_USE).map(sessionExchange))
  let isOver = false
  const loads = nodes.map(({ address }) =>
    runLoad({
      address,
      connections: CONNECTIONS,
      requestsPerSecond: STEADY_REQUESTS_PER_SECOND,
      seconds: Number.POSITIVE_INFINITY,
      next: () => (isOver ? null : next()),
    }),
  )
  try {
    await Promise.race([work(), Promise.all(loads)])
  } finally {
    isOver = true
    await Promise.all(loads)
  }
}

function describeDelays(scenario: string, delays: number[]): Measurement[] {
  const line = (unit: string, part: number, aim: string | null): Measurement => {
    const pie = quantile(delays, part)
    return { scenario, unit, pie, floor: null, ratio: null, aim, rounds: [] }
  }
  return [
    line('p50 ms', 0.5, null),
    line('p99 ms', 0.99, '≤ 50'),
    { ...line('max ms', 1, '≤ 2000'), rounds: delays },
  ]
}
