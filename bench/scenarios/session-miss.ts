import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { foundIn } from '../stage/cache-status.ts'
import { sessionExchange } from '../stage/cookie-session.ts'
import { floorSessionExchange } from '../stage/floor-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers } from './compare-servers.ts'

/**
 * `GET /auth/session` for a session that only Postgres knows, beside one prepared select by primary key
 * from a table that has the answers ready.
 */
export async function measureSessionMiss(stage: Stage, options: Options): Promise<Measurement[]> {
  await asOwner(stage.ownerUrl, async (owner) => {
    await owner.query('drop table if exists bench_floor.described_sessions')
    await owner.query(
      `create table bench_floor.described_sessions as
       select id, description -> 'session' as session, description -> 'user' as "user"
       from pie_private.session_descriptions`,
    )
    await owner.query('alter table bench_floor.described_sessions add primary key (id)')
    await owner.query('vacuum analyze bench_floor.described_sessions')
  })
  const { floor, keys } = stage
  // It forgets each session before that is asked for again.
  const pie = await stage.startNode({ NEAR_CACHE_SIZE: '1' })
  const onFloor = takeTurns(
    stage.cookies.map((cookie) => floorSessionExchange('described-sessions', cookie)),
  )
  const onPie = takeTurns(stage.cookies.map(sessionExchange))
  const description = { scenario: 'session-miss', aim: '≥ 0.6' }
  const compared = await foundIn('reads', pie, keys, () =>
    compareServers(description, { floor, pie }, options, { onFloor, onPie }),
  )
  await pie.stop()
  return [compared]
}
