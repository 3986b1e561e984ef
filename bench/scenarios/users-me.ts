import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { readUserExchange } from '../stage/floor-exchanges.ts'
import { usersMeExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers } from './compare-servers.ts'

/** `GET /users/me` beside one prepared select by primary key. */
export async function measureUsersMe(stage: Stage, options: Options): Promise<Measurement[]> {
  const nextSession = takeTurns(stage.sessions)
  const compared = await compareServers({ scenario: 'users-me', aim: '≥ 0.6' }, stage, options, {
    onFloor: () => readUserExchange(nextSession()),
    onPie: () => usersMeExchange(nextSession()),
  })
  return [compared]
}
