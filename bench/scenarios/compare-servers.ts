import {
  type MeasuredServer,
  measureServer,
  type ServerMeasurement,
} from '../load/measure-server.ts'
import type { Exchange } from '../load/run-load.ts'
import { compare, type Measurement, measureInTurn, type Round } from '../measurement.ts'
import type { Options } from '../options.ts'

/** As many as each of the servers has connections to Postgres. */
const CONNECTIONS = 10
/** Until the code is compiled, the statements are prepared and the tokens are known. */
const WARM_UP_SECONDS = 1

interface Servers {
  floor: MeasuredServer
  pie: MeasuredServer
}

/** What each of the two is asked next. */
interface Next {
  onFloor(): Exchange
  onPie(): Exchange
}

/** How many requests of one kind Pie answers, beside how many of its floor. */
export async function compareServers(
  description: { scenario: string; aim: string },
  servers: Servers,
  options: Options,
  next: Next,
): Promise<Measurement> {
  const measured = await measureServersInTurn(servers, options, next)
  return compare(
    { ...description, unit: 'requests/s' },
    measured,
    ({ requestsPerSecond }) => requestsPerSecond,
  )
}

export async function measureServersInTurn(
  { floor, pie }: Servers,
  { seconds, rounds }: Pick<Options, 'seconds' | 'rounds'>,
  next: Next,
): Promise<Round<ServerMeasurement>[]> {
  const onFloor = { connections: CONNECTIONS, next: next.onFloor }
  const onPie = { connections: CONNECTIONS, next: next.onPie }
  await measureServer(floor, { ...onFloor, seconds: WARM_UP_SECONDS })
  await measureServer(pie, { ...onPie, seconds: WARM_UP_SECONDS })
  return measureInTurn(
    rounds,
    () => measureServer(floor, { ...onFloor, seconds }),
    () => measureServer(pie, { ...onPie, seconds }),
  )
}
