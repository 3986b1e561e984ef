import { measureServer } from '../load/measure-server.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import type { PieUnderTest } from '../servers/start-pie.ts'
import { foundIn } from '../stage/cache-status.ts'
import { sessionExchange } from '../stage/cookie-session.ts'
import { type ManySessions, makeManySessions } from '../stage/many-sessions.ts'
import type { Stage } from '../stage/set-stage.ts'

const FEW = 10_000
const MANY = 1_000_000

/** A fraction of what Pie keeps up with: what one look-up takes, rather than how long a queue is. */
const STEADY_REQUESTS_PER_SECOND = 500
const CONNECTIONS = 10
/** Until the statements are prepared, and the pages that every look-up needs are in memory again. */
const WARM_UP_SECONDS = 0.3

interface Library {
  sessions: ManySessions
  pie: PieUnderTest
}

/**
 * The p99 of `GET /auth/session` for a session that only Postgres knows, anywhere among many, beside the
 * same among ten thousand. Each has a database and a node of its own, so that they are measured in turn.
 */
export async function measureLookup(stage: Stage, options: Options): Promise<Measurement[]> {
  const few = await open(stage, FEW)
  const measurements: Measurement[] = []
  const sizes = [MANY, options.sessions].filter((size) => size <= options.sessions)
  for (const size of new Set(sizes)) {
    const many = await open(stage, size)
    measurements.push(...(await compareSizes(stage, options, few, many)))
    await close(many)
  }
  await close(few)
  return measurements
}

async function open(stage: Stage, count: number): Promise<Library> {
  stage.say(`making ${count.toLocaleString('en')} sessions`)
  const sessions = await makeManySessions(stage, count)
  const pie = await stage.startNode({
    DATABASE_URL: sessions.databaseUrl,
    DATABASE_CONNECTIONS: '4',
    NEAR_CACHE_SIZE: '1',
  })
  return { sessions, pie }
}

async function close({ pie, sessions }: Library): Promise<void> {
  await pie.stop()
  await sessions.drop()
}

async function compareSizes(
  { keys }: Stage,
  { seconds, rounds }: Options,
  few: Library,
  many: Library,
): Promise<Measurement[]> {
  const lookUp = async ({ pie, sessions }: Library) => {
    const load = {
      connections: CONNECTIONS,
      requestsPerSecond: STEADY_REQUESTS_PER_SECOND,
      next: () => sessionExchange(sessions.any()),
    }
    await measureServer(pie, { ...load, seconds: WARM_UP_SECONDS })
    return foundIn('reads', pie, keys, () => measureServer(pie, { ...load, seconds }))
  }
  const measured = await measureInTurn(
    rounds,
    () => lookUp(few),
    () => lookUp(many),
  )
  const readAlone = await measureInTurn(
    rounds,
    () => few.sessions.readAlone(seconds / 4),
    () => many.sessions.readAlone(seconds / 4),
  )
  const among = many.sessions.count.toLocaleString('en')
  return [
    compare(
      { scenario: `lookup among ${among}`, unit: 'p99 ms', aim: '≤ 1.3' },
      measured,
      ({ p99Ms }) => p99Ms,
    ),
    compare(
      { scenario: `read_session among ${among}`, unit: 'p99 ms', aim: null },
      readAlone,
      Number,
    ),
  ]
}
