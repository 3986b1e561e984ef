import { measureServer } from '../load/measure-server.ts'
import type { Exchange } from '../load/run-load.ts'
import { compare, type Measurement, measureInTurn } from '../measurement.ts'
import type { Options } from '../options.ts'
import type { Stage } from '../stage/set-stage.ts'

/** As many as each of the servers has connections to Postgres. */
const CONNECTIONS = 10
/** Until the code is compiled, the statements are prepared and the tokens are known. */
const WARM_UP_SECONDS = 1

/** How many requests of one kind Pie answers, beside how many of its floor. */
export async function compareServers(
  description: { scenario: string; aim: string },
  stage: Pick<Stage, 'floor' | 'pie'>,
  { seconds, rounds }: Options,
  next: { onFloor(): Exchange; onPie(): Exchange },
): Promise<Measurement> {
  const onFloor = { connections: CONNECTIONS, next: next.onFloor }
  const onPie = { connections: CONNECTIONS, next: next.onPie }
  await measureServer(stage.floor, { ...onFloor, seconds: WARM_UP_SECONDS })
  await measureServer(stage.pie, { ...onPie, seconds: WARM_UP_SECONDS })
  const measured = await measureInTurn(
    rounds,
    () => measureServer(stage.floor, { ...onFloor, seconds }),
    () => measureServer(stage.pie, { ...onPie, seconds }),
  )
  return compare(
    { ...description, unit: 'requests/s' },
    measured,
    ({ requestsPerSecond }) => requestsPerSecond,
  )
}
