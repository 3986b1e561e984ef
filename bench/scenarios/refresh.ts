import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { refreshSessionExchange } from '../stage/floor-exchanges.ts'
import { refreshExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers } from './compare-servers.ts'

/** `POST /auth/refresh` beside one update by primary key and two signatures. */
export async function measureRefresh(stage: Stage, options: Options): Promise<Measurement[]> {
  const nextOnFloor = takeTurns(stage.sessions)
  const nextOnPie = takeTurns(stage.sessions)
  const compared = await compareServers({ scenario: 'refresh', aim: '≥ 0.6' }, stage, options, {
    onFloor: () => refreshSessionExchange(nextOnFloor()),
    onPie: () => refreshExchange(nextOnPie()),
  })
  return [compared]
}
