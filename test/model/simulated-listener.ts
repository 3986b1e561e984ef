/** Does what `openListener` does, on a simulated clock and network. */
import { readNotice } from '../../server/src/ground/cache/protocol.ts'
import type { Trust } from '../../server/src/ground/cache/trust.ts'
import type { Connection, SimulatedPostgres } from './simulated-postgres.ts'

const HEARTBEAT_EVERY_MS = 750
const GIVE_UP_MS = 2_500
const CONNECT_AGAIN_MS = 50
const MOST_CONNECT_AGAIN_MS = 1_000

export function createSimulatedListener(
  trust: Trust,
  monotonic: () => number,
  reach: () => SimulatedPostgres | null,
  losesTrust: () => boolean,
) {
  let connection: Connection | null = null
  let connectAt = monotonic()
  let heartbeatAt = 0
  let lastCame = 0
  let failures = 0

  const heartbeat = async (on: Connection) => {
    heartbeatAt = monotonic() + HEARTBEAT_EVERY_MS
    const arrive = trust.heartbeat()
    const looked = await on.ask('heartbeat')
    if (on !== connection) return
    lastCame = monotonic()
    failures = 0
    arrive(looked)
  }
  const listen = async (on: Connection) => {
    await on.ask('listen')
    if (on !== connection) return
    lastCame = monotonic()
    await heartbeat(on)
  }
  const connectAgain = () => {
    connectAt = monotonic() + Math.min(CONNECT_AGAIN_MS * 2 ** failures, MOST_CONNECT_AGAIN_MS)
    failures += 1
  }
  const connect = () => {
    const server = reach()
    if (server === null) return connectAgain()
    connection = server.connect((text) => {
      const notice = readNotice(text)
      if (notice !== null) trust.hear(notice)
    })
    heartbeatAt = Number.POSITIVE_INFINITY
    lastCame = monotonic()
    void listen(connection)
  }
  const giveUp = () => {
    connection?.cut()
    connection = null
    if (losesTrust()) trust.lose()
    connectAgain()
  }

  return {
    giveUp,
    connection: () => connection,
    tick: () => {
      if (connection === null) {
        if (monotonic() >= connectAt) connect()
      } else if (monotonic() - lastCame > GIVE_UP_MS) giveUp()
      else if (monotonic() >= heartbeatAt) void heartbeat(connection)
    },
  }
}
