import { runLoad } from '../load/run-load.ts'
import { takeTurns } from '../load/take-turns.ts'
import type { Measurement } from '../measurement.ts'
import type { Options } from '../options.ts'
import { readProcessUsage } from '../servers/process-usage.ts'
import { readUserExchange } from '../stage/floor-exchanges.ts'
import { loginExchange, usersMeExchange } from '../stage/pie-exchanges.ts'
import type { Stage } from '../stage/set-stage.ts'
import { LOGIN_CONNECTIONS } from './login.ts'

/** The memory of Pie's process, idle and under load, beside that of the floor's, without Postgres. */
export async function measureMemory(stage: Stage, { seconds }: Options): Promise<Measurement[]> {
  const { pie, floor, idle } = stage
  const nextSession = takeTurns(stage.sessions)
  const nextAccount = takeTurns(stage.accounts)
  await runLoad({
    address: floor.address,
    connections: 32,
    seconds,
    next: () => readUserExchange(nextSession()),
  })
  const loadedFloor = readProcessUsage(floor.pid)
  const address = pie.address
  await Promise.all([
    runLoad({ address, connections: 32, seconds, next: () => usersMeExchange(nextSession()) }),
    runLoad({
      address,
      connections: LOGIN_CONNECTIONS,
      seconds,
      next: () => loginExchange(nextAccount(), stage.password),
    }),
  ])
  const loadedPie = readProcessUsage(pie.pid)
  return [
    ...compareMemory('memory, idle', idle),
    ...compareMemory('memory, after load', { pie: loadedPie, floor: loadedFloor }),
  ]
}

/** Nothing where the system does not say. */
function compareMemory(scenario: string, { pie, floor }: Stage['idle']): Measurement[] {
  if (pie === null || floor === null) return []
  const sides = { pie: pie.residentMegabytes, floor: floor.residentMegabytes }
  return [
    {
      scenario,
      unit: 'MB',
      ...sides,
      ratio: sides.pie / sides.floor,
      aim: null,
      rounds: [sides],
    },
  ]
}
