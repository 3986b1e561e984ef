import { proveSession } from '../../server/src/features/sessions/prove-session.ts'
import type { Statement } from '../../server/src/ground/database/pipeline.ts'
import { openDatabase } from '../../server/src/ground/database/pool.ts'
import { queryWithSession } from '../../server/src/ground/database/query-with-session.ts'
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

const columns = 'id, owner, title, created_at'
const newest = `order by created_at desc limit ${LISTED}`
const ofOwner = (table: string, owner: string): Statement => ({
  name: `list_${table}`,
  text: `select ${columns} from bench_notes.${table} where owner = $1 ${newest}`,
  values: [owner],
})
const ofMine: Statement = {
  name: 'list_mine',
  text: `select ${columns} from bench_notes.notes ${newest}`,
  values: [],
}

/**
 * The newest notes of a user, of a million, in several ways:
 *
 * - what the policy costs: on the same pool, in the same request transaction, beside the same query that
 *   names the owner and reads past the policies;
 * - what that and the proof of who asks cost: beside a prepared query of a role that no policy binds;
 * - the same as an application asks: planned anew each time; and with `withSession`, whose commit is a
 *   round trip more.
 *
 * From this process, without HTTP, which costs both the same and would hide the difference.
 */
export async function measureNotes(stage: Stage, options: Options): Promise<Measurement[]> {
  const readerUrl = await makeManyNotes(stage)
  const log = createLog('silent', false)
  const reader = openDatabase(readerUrl, log, { connections: CONNECTIONS })
  const requests = openDatabase(urlOfCream(stage), log, { connections: CONNECTIONS })
  const nextSession = takeTurns(
    stage.sessions.map(({ userId, sessionId }) => ({
      userId,
      credential: proveSession(stage.keys, sessionId),
    })),
  )
  const listWith = (list: (session: ReturnType<typeof nextSession>) => Promise<unknown>) => {
    return async () => {
      const session = nextSession()
      const rows = (await list(session)) as { owner: string }[]
      if (rows.length !== LISTED || rows.some(({ owner }) => owner !== session.userId))
        throw new Error(`the notes of ${session.userId} were not what was listed`)
    }
  }
  const plain = listWith(async ({ userId }) => {
    const { name, text } = ofOwner('notes', userId)
    return (await reader.pool.query({ name, text, values: [userId] })).rows
  })
  const plainAsSession = listWith(async ({ userId, credential }) => {
    const [rows] = await requestTransaction(requests, credential, ofOwner('notes_of_all', userId))
    return rows
  })
  const asSession = listWith(async ({ credential }) => {
    const [rows] = await requestTransaction(requests, credential, ofMine)
    return rows
  })
  const byQuery = listWith(
    async ({ credential }) => (await queryWithSession(requests, credential, ofMine.text)).rows,
  )
  const byWithSession = listWith(({ credential }) =>
    withSession(requests, credential, async (tx) => (await tx.query(ofMine.text)).rows),
  )
  const pairs: [scenario: string, floor: () => Promise<void>, pie: () => Promise<void>][] = [
    ['notes, the policy', plainAsSession, asSession],
    ['notes, policy and proof', plain, asSession],
    ['notes, queryWithSession', plain, byQuery],
    ['notes, withSession', plain, byWithSession],
  ]
  const measurements: Measurement[] = []
  for (const [scenario, floor, pie] of pairs) {
    const warmUp = { atOnce: CONNECTIONS, seconds: WARM_UP_SECONDS }
    await runWork(warmUp, floor)
    await runWork(warmUp, pie)
    const load = { atOnce: CONNECTIONS, seconds: options.seconds }
    const measured = await measureInTurn(
      options.rounds,
      () => runWork(load, floor),
      () => runWork(load, pie),
    )
    const description = { scenario, unit: 'listings/s', aim: '≥ 0.8' }
    measurements.push(compare(description, measured, ({ perSecond }) => perSecond))
  }
  await requests.pool.end()
  await reader.pool.end()
  return measurements
}
