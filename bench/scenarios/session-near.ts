import { askAll } from '../load/ask-all.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { foundIn } from '../stage/cache-status.ts'
import { sessionExchange } from '../stage/cookie-session.ts'
import { prepareBare } from '../stage/floor-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers } from './compare-servers.ts'

/** Far fewer than a node keeps. */
const SESSIONS = 2_000

/** `GET /auth/session` from the node's own memory, beside a bare route that answers the same bytes. */
export async function measureSessionNear(stage: Stage, options: Options): Promise<Measurement[]> {
  const exchanges = stage.cookies.slice(0, SESSIONS).map(sessionExchange)
  const [answer] = await askAll(stage.pie.address, exchanges)
  const onFloor = await prepareBare(stage.floor, answer)
  const onPie = takeTurns(exchanges)
  const compared = await foundIn('hits', stage.pie, stage.keys, () =>
    compareServers({ scenario: 'session-near', aim: '≥ 0.8' }, stage, options, { onFloor, onPie }),
  )
  return [compared]
}
