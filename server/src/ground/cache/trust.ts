import type { Clock, Instant } from '../clock.ts'
import {
  type Entry,
  judge,
  LEEWAY_MS,
  type Moment,
  type Notice,
  type RowName,
  TRUST_MS,
  type Verdict,
} from './protocol.ts'

/** What one node knows of how well it hears. */
export interface Trust {
  /** To be called before a reading begins, of Postgres or of the shared cache. */
  begin(): Beginning
  /** @param began of the reading that has brought it to this node */
  judge(entry: Omit<Entry<unknown>, 'value'>, began: Beginning): Verdict
  /** Whether anything can be believed now: whether it makes sense to ask a cache. */
  hears(): boolean
  /** A change, of whoever made it. Only ever takes belief away. */
  hear(notice: Notice): void
  /**
   * A heartbeat is about to be sent, on a connection that listens. Call what is returned when it has come
   * back, with the moment at which Postgres looked at it. One at a time.
   */
  heartbeat(): (looked: Moment) => void
  /**
   * Notices may have been missed, or were those of another history. Nothing that was read before, or is being read,
   * is believed again, and nothing else until a heartbeat that is sent from now on has come back.
   */
  lose(): void
  status(): TrustStatus
}

/** When a reading began, by this node. */
export interface Beginning {
  at: Instant
  /** How often everything had been forgotten. */
  forgotten: number
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

/** @param judgeEntry only tests take a rule out of it */
export function createTrust(clock: Clock, mostFloors = MOST_FLOORS, judgeEntry = judge): Trust {
  const floors = new Map<RowName, number>()
  const floorOf = (row: RowName): number => floors.get(row) ?? 0
  let horizon: Moment | null = null
  /** The newest heartbeat of this connection that came back, and what the database's clock said. */
  let heard: { sent: Instant; cameBack: Instant; time: number } | null = null
  /** Counts what a heartbeat has to be sent after, to say where the horizon is. */
  let forgotten = 0
  /** Counts the connections that were lost: a heartbeat of an earlier one says nothing. */
  let lost = 0

  const silentForMs = (): number =>
    heard === null ? Number.POSITIVE_INFINITY : clock.since(heard.sent)

  const forget = () => {
    floors.clear()
    horizon = null
    forgotten += 1
  }

  return {
    begin: () => ({ at: clock.instant(), forgotten }),
    judge: (entry, began) => {
      const silent = silentForMs()
      return judgeEntry(
        entry,
        { heldForMs: clock.since(began.at), isFromBefore: began.forgotten !== forgotten },
        // The heartbeat was looked at after it had been sent, so the database's clock says no more than this.
        { silentForMs: silent, horizon, floorOf, databaseNow: (heard?.time ?? 0) + silent },
      )
    },
    hears: () => silentForMs() < TRUST_MS && horizon !== null,
    hear: (notice) => {
      if (notice === 'everything') return forget()
      floors.set(notice.row, Math.max(notice.version, floorOf(notice.row)))
      if (floors.size > mostFloors) forget()
    },
    heartbeat: () => {
      const sent = clock.instant()
      const sentAfter = forgotten
      const sentAfterLoss = lost
      // At least as long ago as this Postgres looked at the last one.
      const lastLookedMs = heard === null ? 0 : clock.since(heard.cameBack)
      return (looked) => {
        if (sentAfterLoss !== lost) return
        // The database's clock was set back: what was read before looks younger than it is, and what is read now
        // would look older than the horizon. The next heartbeat says where that is: what has been heard since this
        // one was looked at has left floors, which are forgotten here.
        if (heard !== null && looked.time < heard.time + lastLookedMs - LEEWAY_MS) forget()
        heard = { sent, cameBack: clock.instant(), time: looked.time }
        // What was forgotten or missed had been committed when the heartbeat was sent, and what has come since
        // has left its floor.
        if (horizon === null && sentAfter === forgotten) horizon = looked
      }
    },
    lose: () => {
      forget()
      lost += 1
      heard = null
    },
    status: () => ({
      hears: silentForMs() < TRUST_MS && horizon !== null,
      silentForMs: heard === null ? null : Math.round(silentForMs()),
      horizon: horizon === null ? null : new Date(horizon.time).toISOString(),
      floors: floors.size,
      trustMs: TRUST_MS,
    }),
  }
}
