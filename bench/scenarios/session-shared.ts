import { askAll } from '../load/ask-all.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { foundIn } from '../stage/cache-status.ts'
import { sessionExchange } from '../stage/cookie-session.ts'
import { floorSessionExchange } from '../stage/floor-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { fillFloorValues } from '../stage/shared-values.ts'
import { compareServers } from './compare-servers.ts'

const SESSIONS = 10_000

/** `GET /auth/session` for a session that Valkey has, beside one GET of a value of that size. */
export async function measureSessionShared(stage: Stage, options: Options): Promise<Measurement[]> {
  const valkey = await stage.startValkey('session-shared is left out')
  if (valkey === null) return []
  // It forgets each session before that is asked for again.
  const pie = await stage.startNode({ CACHE_URL: valkey.url, NEAR_CACHE_SIZE: '1' })
  const cookies = stage.cookies.slice(0, SESSIONS)
  const exchanges = cookies.map(sessionExchange)
  const answers = await askAll(pie.address, exchanges)
  await fillFloorValues(valkey, cookies, answers)

  const floor = await stage.startFloorOn(valkey)
  const onFloor = takeTurns(cookies.map((cookie) => floorSessionExchange('shared', cookie)))
  const onPie = takeTurns(exchanges)
  const description = { scenario: 'session-shared', aim: '≥ 0.8' }
  const compared = await foundIn('sharedHits', pie, stage.keys, () =>
    compareServers(description, { floor, pie }, options, { onFloor, onPie }),
  )
  for (const server of [pie, floor, valkey]) await server.stop()
  return [compared]
}
