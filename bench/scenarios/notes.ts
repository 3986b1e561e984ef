import { proveSession } from '../../server/src/features/sessions/prove-session.ts'
import { openDatabase } from '../../server/src/ground/database/pool.ts'
import { requestTransaction } from '../../server/src/ground/database/request-transaction.ts'
import { withSession } from '../../server/src/ground/database/with-session.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { runWork } from '../load/run-work.ts'
import { takeTurns } from '../load/take-turns.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import { makeManyNotes } from '../stage/many-notes.ts'
import { urlOfCream } from '../stage/owner-url.ts'
import type { Stage } from '../stage/set-stage.ts'

const CONNECTIONS = 10
const LISTED = 50
const WARM_UP_SECONDS = 1

const ofAnybody = {
  name: 'list_notes',
  text: `select id, owner, title, created_at from bench_notes.notes
    where owner = $1 order by created_at desc limit ${LISTED}`,
}
const ofMine = {
  name: 'list_my_notes',
  text: `select id, owner, title, created_at from bench_notes.notes
    order by created_at desc limit ${LISTED}`,
}

/**
 * The newest notes of a user, of a million: as the session's user under row-level security, beside a
 * prepared query that names the owner, as a role whom no policy binds. From this process, without HTTP,
 * which costs both the same and would hide the difference.
 */
export async function measureNotes(stage: Stage, options: Options): Promise<Measurement[]> {
  const readerUrl = await makeManyNotes(stage)
  const log = createLog('silent', false)
  const reader = openDatabase(readerUrl, log, CONNECTIONS)
  const requests = openDatabase(urlOfCream(stage), log, CONNECTIONS)
  const nextSession = takeTurns(
    stage.sessions.map(({ userId, sessionId }) => ({
      userId,
      credential: proveSession(stage.keys, sessionId),
    })),
  )
  const check = (userId: string, rows: { owner?: string }[] | undefined) => {
    if (rows?.length !== LISTED || rows.some(({ owner }) => owner !== userId))
      throw new Error(`the notes of ${userId} were not what was listed`)
  }

  const plain = async () => {
    const { userId } = nextSession()
    check(userId, (await reader.pool.query({ ...ofAnybody, values: [userId] })).rows)
  }
  const ways = {
    'notes, one round trip': async () => {
      const { userId, credential } = nextSession()
      const [rows] = await requestTransaction(requests, credential, { ...ofMine, values: [] })
      check(userId, rows)
    },
    'notes, withSession': async () => {
      const { userId, credential } = nextSession()
      await withSession(requests, credential, async (tx) =>
        check(userId, (await tx.query(ofMine)).rows),
      )
    },
  }
  const measurements: Measurement[] = []
  for (const [scenario, asSession] of Object.entries(ways)) {
    const warmUp = { atOnce: CONNECTIONS, seconds: WARM_UP_SECONDS }
    await runWork(warmUp, plain)
    await runWork(warmUp, asSession)
    const load = { atOnce: CONNECTIONS, seconds: options.seconds }
    const measured = await measureInTurn(
      options.rounds,
      () => runWork(load, plain),
      () => runWork(load, asSession),
    )
    const description = { scenario, unit: 'listings/s', aim: '≥ 0.8' }
    measurements.push(compare(description, measured, ({ perSecond }) => perSecond))
  }
  await requests.pool.end()
  await reader.pool.end()
  return measurements
}
