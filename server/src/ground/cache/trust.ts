import type { Clock, Instant } from '../clock.ts'
import { type Entry, judge, type Notice, type RowName, TRUST_MS, type Verdict } from './protocol.ts'

/** What one node knows of how well it hears. */
export interface Trust {
  judge(entry: Omit<Entry<unknown>, 'value'>): Verdict
  /** Whether anything can be believed now: whether it makes sense to ask a cache. */
  hears(): boolean
  /** A change, of whoever made it. Only ever takes belief away. */
  hear(notice: Notice): void
  /**
   * A heartbeat is about to be sent, on a connection that listens. Call what is returned when it has come
   * back, with the database's time from after it had been sent.
   */
  heartbeat(): (databaseNow: number) => void
  /** Notices may have been missed. Nothing is believed until a heartbeat that is sent from now on has come back. */
  lose(): void
  status(): TrustStatus
}

export interface TrustStatus {
  hears: boolean
  /** Milliseconds since the last heartbeat that came back was sent; null when none has. */
  silentForMs: number | null
  /** ISO 8601; null while it is not known. */
  horizon: string | null
  floors: number
  trustMs: number
}

/** Floors are kept in memory; a node that has heard of more changes than this forgets and reads again. */
const MOST_FLOORS = 100_000

export function createTrust(clock: Clock, mostFloors = MOST_FLOORS): Trust {
  const floors = new Map<RowName, number>()
  const floorOf = (row: RowName): number => floors.get(row) ?? 0
  let lastHeartbeat: Instant | null = null
  let horizon = Number.POSITIVE_INFINITY
  /** The newest heartbeat that came back soon, of whichever connection, and the database's time that it brought. */
  let said: { sent: Instant; databaseNow: number } | null = null
  /** Counts what a heartbeat has to be sent after, to say where the horizon is. */
  let forgotten = 0
  /** Counts the connections that were lost: a heartbeat of an earlier one says nothing. */
  let lost = 0

  /** The database's clock, by the newest heartbeat. Rather too late than too early. */
  const databaseNow = (): number => (said === null ? 0 : said.databaseNow + clock.since(said.sent))

  const silentForMs = (): number =>
    lastHeartbeat === null ? Number.POSITIVE_INFINITY : clock.since(lastHeartbeat)

  const forget = () => {
    floors.clear()
    horizon = Number.POSITIVE_INFINITY
    forgotten += 1
  }

  return {
    judge: (entry) => judge(entry, { silentForMs: silentForMs(), horizon, floorOf }, databaseNow()),
    hears: () => silentForMs() < TRUST_MS && horizon !== Number.POSITIVE_INFINITY,
    hear: (notice) => {
      if (notice === 'everything') return forget()
      floors.set(notice.row, Math.max(notice.version, floorOf(notice.row)))
      if (floors.size > mostFloors) forget()
    },
    heartbeat: () => {
      const sent = clock.instant()
      const sentAfter = forgotten
      const sentAfterLoss = lost
      return (broughtNow) => {
        if (sentAfterLoss !== lost) return
        lastHeartbeat = sent
        // What was forgotten or missed had been committed when the heartbeat was sent, and what has come since
        // has left its floor: the database's clock says where that begins.
        // A standby that was promoted may have a clock that is behind: then it is the time by the one before.
        const expected =
          said === null ? broughtNow : said.databaseNow + sent.monotonicMs - said.sent.monotonicMs
        if (clock.since(sent) < TRUST_MS) said = { sent, databaseNow: broughtNow }
        if (horizon === Number.POSITIVE_INFINITY && sentAfter === forgotten)
          horizon = Math.max(broughtNow, expected)
      }
    },
    lose: () => {
      forget()
      lost += 1
      lastHeartbeat = null
    },
    status: () => ({
      hears: silentForMs() < TRUST_MS && horizon !== Number.POSITIVE_INFINITY,
      silentForMs: lastHeartbeat === null ? null : Math.round(silentForMs()),
      horizon: horizon === Number.POSITIVE_INFINITY ? null : new Date(horizon).toISOString(),
      floors: floors.size,
      trustMs: TRUST_MS,
    }),
  }
}
