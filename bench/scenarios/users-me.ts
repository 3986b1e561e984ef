import type { ServerMeasurement } from '../load/measure-server.ts'
import { takeTurns } from '../load/take-turns.ts'
import { compare, type Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { awaitedUsersMeExchange, readUserExchange } from '../stage/floor-exchanges.ts'
import { usersMeExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { compareServers, measureServersInTurn } from './compare-servers.ts'

/**
 * `GET /users/me` beside one prepared select by primary key; and beside the same in the way in which it is
 * mostly written, with what each takes of a processor in Node and in Postgres.
 */
export async function measureUsersMe(stage: Stage, options: Options): Promise<Measurement[]> {
  const nextSession = takeTurns(stage.sessions)
  const onPie = () => usersMeExchange(nextSession())
  const compared = await compareServers({ scenario: 'users-me', aim: '≥ 0.6' }, stage, options, {
    onFloor: () => readUserExchange(nextSession()),
    onPie,
  })
  const { postmasterPid } = stage
  const servers = {
    floor: { ...stage.floor, postmasterPid },
    pie: { ...stage.pie, postmasterPid },
  }
  const rounds = await measureServersInTurn(servers, options, {
    onFloor: () => awaitedUsersMeExchange(nextSession()),
    onPie,
  })
  const besideAwaited = (
    what: string,
    unit: string,
    aim: string | null,
    numberOf: (side: ServerMeasurement) => number,
  ) => compare({ scenario: `users-me, each statement awaited${what}`, unit, aim }, rounds, numberOf)
  const all = [
    besideAwaited('', 'requests/s', '≥ 1.3', ({ requestsPerSecond }) => requestsPerSecond),
    besideAwaited(': Node', 'CPU µs', null, ({ cpuMicroseconds }) => cpuMicroseconds),
    besideAwaited(': Postgres', 'CPU µs', null, (side) => side.postgresCpuMicroseconds),
  ]
  // What the system does not say is left out.
  return [compared, ...all.filter(({ pie }) => !Number.isNaN(pie))]
}
