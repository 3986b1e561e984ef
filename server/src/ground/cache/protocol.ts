/**
 * The rules of the cache: when a node may believe what it has read before. Pure; given the time.
 *
 * Truth is Postgres. A node keeps what it has read, and hears of changes by notices, which are sent in
 * the changing transaction. It believes an entry only while it can be sure to have heard:
 *
 * - **version**: an entry carries the versions of the rows that it was read from;
 * - **floor**: a notice leaves one: nothing below this version of this row;
 * - **horizon**: the database's time since which this node has heard everything. What was read earlier,
 *   by whomever, may have changed unheard;
 * - **heartbeat**: a node notifies itself through the database. A heartbeat that has come back proves that every
 *   notice sent before it has come too. Without one for two seconds, nothing is believed.
 *
 * So the node that changes something refuses from its answer on, every other one within milliseconds,
 * and none later than two seconds, whatever is cut, paused, restarted or flushed.
 */

/** How long a node believes its entries after the last proof that it hears. The promise. */
export const TRUST_MS = 2_000

/** Names a row that entries are made of: `session <id>` or `user <id>`. */
export type RowName = string

/** The version of a row that is no more, or never to be believed again: above every other. */
export const GONE = Number.POSITIVE_INFINITY

export interface Entry<Value> {
  value: Value
  /** The rows it was read from, with the version of each. */
  versions: readonly (readonly [RowName, number])[]
  /** The database's time, in milliseconds since 1970, from before the reading began. */
  readAt: number
  /** Until when the value may be kept at all, by the database's clock, in milliseconds since 1970. */
  goodUntil: number
}

/** What a node knows when it looks at an entry. */
export interface Knowledge {
  /** How long ago the newest heartbeat that has come back was sent. Infinity when none has. */
  silentForMs: number
  /** The database's time since which every notice has been heard. Infinity when that is not known. */
  horizon: number
  /** The least version of a row that is believed; 0 where no change has been heard of. */
  floorOf(row: RowName): number
}

/** Whether an entry is believed, or why not. */
export type Verdict = 'believed' | 'expired' | 'silent' | 'before_horizon' | 'below_floor'

/** @param databaseNow what the database's clock says, as far as this node can tell */
export function judge(
  { versions, readAt, goodUntil }: Omit<Entry<unknown>, 'value'>,
  { silentForMs, horizon, floorOf }: Knowledge,
  databaseNow: number,
): Verdict {
  if (!(databaseNow < goodUntil)) return 'expired'
  if (!(silentForMs < TRUST_MS)) return 'silent'
  if (!(readAt >= horizon)) return 'before_horizon'
  for (const [row, version] of versions) {
    if (!(version >= floorOf(row))) return 'below_floor'
  }
  return 'believed'
}

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
