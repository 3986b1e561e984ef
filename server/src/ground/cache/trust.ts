import type { Clock, Instant } from '../clock.ts'
import { type Entry, judge, type Notice, type RowName, TRUST_MS, type Verdict } from './protocol.ts'

/** What one node knows of how well it hears. */
export interface Trust {
  judge(entry: Omit<Entry<unknown>, 'value'>): Verdict
  /** Whether anything can be believed now: whether it makes sense to ask a cache. */
  hears(): boolean
  /** A change, of whoever made it. Only ever takes belief away. */
  hear(notice: Notice): void
  /** Every notice from now on will come. Nothing is believed until the first beat has come back. */
  listen(databaseNow: number): void
  /** A beat is about to be sent. Call what is returned when it has come back. */
  beat(): (databaseNow: number) => void
  /** Notices may have been missed. */
  lose(): void
  status(): TrustStatus
}

export interface TrustStatus {
  hears: boolean
  /** Milliseconds since the last beat that came back was sent; null when none has. */
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
  let lastBeat: Instant | null = null
  let horizon = Number.POSITIVE_INFINITY
  /** Counts what a beat has to be sent after, to say where the horizon is. */
  let forgotten = 0
  /** Counts the times it has begun to listen or lost the connection: a beat of an earlier one says nothing. */
  let listenings = 0

  const silentForMs = (): number =>
    lastBeat === null ? Number.POSITIVE_INFINITY : clock.since(lastBeat)

  const forget = () => {
    floors.clear()
    horizon = Number.POSITIVE_INFINITY
    forgotten += 1
  }

  return {
    judge: (entry) =>
      judge(entry, { silentForMs: silentForMs(), horizon, floorOf }, clock.now().getTime()),
    hears: () => silentForMs() < TRUST_MS && horizon !== Number.POSITIVE_INFINITY,
    hear: (notice) => {
      if (notice === 'everything') return forget()
      floors.set(notice.row, Math.max(notice.version, floorOf(notice.row)))
      if (floors.size > mostFloors) forget()
    },
    listen: (databaseNow) => {
      forget()
      listenings += 1
      horizon = databaseNow
      lastBeat = null
    },
    beat: () => {
      const sent = clock.instant()
      const sentAfter = forgotten
      const sentWhile = listenings
      return (databaseNow) => {
        if (sentWhile !== listenings) return
        lastBeat = sent
        // What was forgotten had been committed when the beat was sent: the database's clock says when.
        if (horizon === Number.POSITIVE_INFINITY && sentAfter === forgotten) horizon = databaseNow
      }
    },
    lose: () => {
      forget()
      listenings += 1
      lastBeat = null
    },
    status: () => ({
      hears: silentForMs() < TRUST_MS && horizon !== Number.POSITIVE_INFINITY,
      silentForMs: lastBeat === null ? null : Math.round(silentForMs()),
      horizon: horizon === Number.POSITIVE_INFINITY ? null : new Date(horizon).toISOString(),
      floors: floors.size,
      trustMs: TRUST_MS,
    }),
  }
}
