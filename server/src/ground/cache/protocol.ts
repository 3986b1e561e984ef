/**
 * The rules of the cache: when a node may believe what it has read before. Pure; given the time.
 *
 * Truth is Postgres. A node keeps what it has read, and hears of changes by notices, which are sent in
 * the changing transaction. It believes an entry only while it can be sure to have heard:
 *
 * - **version**: an entry carries the versions of the rows that it was read from;
 * - **floor**: a notice leaves one: nothing below this version of this row;
 * - **horizon**: the moment of the database's life since which this node has heard everything. What was not read
 *   later, by whomever, may have changed unheard;
 * - **heartbeat**: a node notifies itself through the database. A heartbeat that has come back proves that every
 *   notice sent before it has come too. Without one for two seconds, nothing is believed;
 * - **greatest age**: a change that sends no notice (triggers switched off) is seen after a minute.
 *
 * So the node that changes something refuses from its answer on, every other one within milliseconds,
 * and none later than two seconds, whatever is cut, paused, restarted or flushed.
 *
 * Which of two moments is the later one is said by the database's count of transactions, and by its clock too: a
 * clock may be set back, and a count goes back when a crash loses the last transactions. What says otherwise by
 * either is not believed (docs/decisions/0026-order-by-transactions-not-by-clocks.md). Both belong to one history:
 * a standby that is promoted begins another, of which nothing that was read before is believed.
 *
 * A node whose connection was lost believes what it reads once the first heartbeat of the next connection has come
 * back, no matter what any clock says: four seconds after the primary can be reached again, at most.
 */

/** How long a node believes its entries after the last proof that it hears. The promise. */
export const TRUST_MS = 2_000

/** How long an entry is believed at all, whether or not anything is heard. */
export const GREATEST_AGE_MS = 60_000

/** How far the database's clock may be ahead of what its last heartbeat has let a node expect: clocks drift. */
export const LEEWAY_MS = 100

/** Names a row that entries are made of: `session <id>` or `user <id>`. */
export type RowName = string

/** The version of a row that is no more, or never to be believed again: above every other. */
export const GONE = Number.POSITIVE_INFINITY

/** A moment in the life of a database. */
export interface Moment {
  /** Above the number of every transaction that had ended: `pg_snapshot_xmax`, of the snapshot that was read in. */
  transaction: number
  /** By the database's clock, in milliseconds since 1970. */
  time: number
}

export interface Entry<Value> {
  value: Value
  /** The rows it was read from, with the version of each. */
  versions: readonly (readonly [RowName, number])[]
  /** What is committed, and not in it, was committed later than this. */
  readAt: Moment
  /** Until when the value may be kept at all, by the database's clock, in milliseconds since 1970. */
  goodUntil: number
}

/** What a node knows when it looks at an entry. */
export interface Knowledge {
  /** How long ago the newest heartbeat that has come back was sent. Infinity when none has. */
  silentForMs: number
  /** The moment since which every notice has been heard. Null when that is not known. */
  horizon: Moment | null
  /** The least version of a row that is believed; 0 where no change has been heard of. */
  floorOf(row: RowName): number
  /** What the database's clock says, as far as this node can tell: rather too late than too early. */
  databaseNow: number
}

/** What a node knows of how it came by an entry: by its own clock, and its own memory. */
export interface Possession {
  /** How long ago it began to read it, of Postgres or of the shared cache. */
  heldForMs: number
  /** Whether notices may have been missed since then. */
  isFromBefore: boolean
}

/** Whether an entry is believed, or why not. */
export type Verdict =
  | 'believed'
  | 'silent'
  | 'expired'
  | 'too_old'
  | 'from_the_future'
  | 'before_horizon'
  | 'below_floor'

export function judge(
  { versions, readAt, goodUntil }: Omit<Entry<unknown>, 'value'>,
  { heldForMs, isFromBefore }: Possession,
  { silentForMs, horizon, floorOf, databaseNow }: Knowledge,
): Verdict {
  if (!(silentForMs < TRUST_MS)) return 'silent'
  if (!(databaseNow < goodUntil)) return 'expired'
  if (!(databaseNow - readAt.time < GREATEST_AGE_MS && heldForMs < GREATEST_AGE_MS))
    return 'too_old'
  if (!(readAt.time <= databaseNow + LEEWAY_MS)) return 'from_the_future'
  if (isFromBefore || horizon === null || !isLater(readAt, horizon)) return 'before_horizon'
  for (const [row, version] of versions) {
    if (!(version >= floorOf(row))) return 'below_floor'
  }
  return 'believed'
}

/** Strictly: what happened in between two moments that look alike is not known. */
export const isLater = (one: Moment, other: Moment): boolean =>
  one.transaction > other.transaction && one.time > other.time

/** Something has changed: a row, which now has this version, or everything. */
export type Notice = { row: RowName; version: number } | 'everything'

/** The highest bigint: the version in the notice of a row that was deleted. */
const DELETED = '9223372036854775807'

/** Reads a notice as `0015-notices.sql` writes it; null for any other text, which anybody may have sent. */
export function readNotice(text: string): Notice | null {
  if (text === '*') return 'everything'
  const [, row, version] = /^((?:session|user) [0-9a-f-]{36}) (\d{1,19})$/.exec(text) ?? []
  if (row === undefined || version === undefined) return null
  return { row, version: version === DELETED ? GONE : Number(version) }
}
