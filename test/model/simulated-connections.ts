/** How one process connects: it reads of primaries only, and leaves those that another has taken the place of. */
import type { SimulatedPostgres } from './simulated-postgres.ts'

/** Rules that connections keep. The tests take one out, to see that it is missed. */
export interface ConnectionRules {
  refusesStandbys: boolean
  refusesOlderTimelines: boolean
  discardsOlderConnections: boolean
  losesTrustWithNewTimeline: boolean
}

interface ServerConnection {
  server: SimulatedPostgres
  /** Whether what it answers is still taken. */
  isGood(): boolean
}

export function createSimulatedConnections(
  rules: ConnectionRules,
  route: () => SimulatedPostgres,
  /** A newer timeline has been seen: what came of an older one is no longer true. */
  leaveOlder: () => void,
) {
  /** The newest timeline that this process has seen; 0 while it has seen none. */
  let newest = 0
  let pooled: ServerConnection | null = null
  /** Counts how often all connections have been left. */
  let left = 0

  /** Null where it cannot connect, or refuses to. */
  const reach = (): SimulatedPostgres | null => {
    const server = route()
    if (!server.isUp() || (server.isStandby() && rules.refusesStandbys)) return null
    if (server.timeline() < newest && rules.refusesOlderTimelines) return null
    if (server.timeline() > newest) {
      const isAnother = newest > 0
      newest = server.timeline()
      if (isAnother) {
        left += 1
        leaveOlder()
      }
    }
    return server
  }
  const connect = (): ServerConnection | null => {
    const server = reach()
    if (server === null) return null
    const [starts, leftBefore] = [server.starts(), left]
    return {
      server,
      isGood: () =>
        server.isUp() &&
        server.starts() === starts &&
        (left === leftBefore || !rules.discardsOlderConnections),
    }
  }

  return {
    reach,
    timeline: () => newest,
    lineage: () => (newest === 0 ? '' : `1/${newest}`),
    /** Null where there is none. */
    take: (): ServerConnection | null => {
      if (pooled !== null && !pooled.isGood()) pooled = null
      pooled ??= connect()
      return pooled
    },
    /** The next one is made anew. */
    recycle: () => {
      pooled = null
    },
  }
}
