import type pg from 'pg'
import type { Settings } from './pinned-settings.ts'

/** How a connection reaches Postgres, in PgBouncer's words: for its whole session, or for one transaction at a time. */
export type PoolMode = 'session' | 'transaction'

/** What Pie has to know of a connection of pg's, and pg does not: one record, which goes when it goes. */
export interface ConnectionState {
  /** Null until somebody has said or asked. */
  poolMode: PoolMode | null
  /** Which primary it has reached, as a `Lineage` names it; null where nobody has looked, or it does not say. */
  primary: string | null
  /** The number of its process, and when that began; null where nobody has looked. */
  backend: string | null
  /** What it was set to as it began; null where that is its application's. */
  settings: Settings | null
  /** The description of each prepared statement's rows, by its name. */
  readonly prepared: Map<string, unknown[]>
  /** The ad-hoc statements that may be prepared, the oldest first. */
  readonly adHoc: Set<string>
  /**
   * Something was done on it that outlives its transaction, such as `set`, `prepare`, `listen` or
   * `create temp table`: it is never given to anybody else.
   */
  isTainted: boolean
  /** It leads to where nothing can be changed: what is under way comes to its end, and nothing more is asked on it. */
  isLeaving: boolean
  /** Postgres has said good-bye on it, or it has broken; its socket may not know yet. */
  isLost: boolean
  /** Settings that matter to a driver are reported when they change for longer than a transaction; that taints it too. */
  isWatched: boolean
}

const states = new WeakMap<object, ConnectionState>()

/** @param connection the one below a client of pg's, which lives as long as the socket does */
export function stateOfConnection(connection: object): ConnectionState {
  const known = states.get(connection)
  if (known !== undefined) return known
  const state = {
    poolMode: null,
    primary: null,
    backend: null,
    settings: null,
    prepared: new Map(),
    adHoc: new Set<string>(),
    isTainted: false,
    isLeaving: false,
    isLost: false,
    isWatched: false,
  }
  states.set(connection, state)
  return state
}

export function stateOf(client: pg.ClientBase): ConnectionState {
  return stateOfConnection((client as unknown as { connection: object }).connection)
}

/** The command tags of what leaves nothing on the connection once its transaction has ended. */
const leavesNothing =
  /^(SELECT|INSERT|UPDATE|DELETE|MERGE|RESET|EXPLAIN|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|LOCK)\b/

/** Notes what a statement may have left on a connection. @param tag as Postgres says that it is complete */
export function noteCommand(state: ConnectionState, tag: string): void {
  if (!leavesNothing.test(tag)) state.isTainted = true
}

/**
 * Whether the next request may have this connection. Behind a pooler in transaction mode, what was left is
 * on a connection of the server's that is nobody's by now.
 */
export function isClean(client: pg.PoolClient): boolean {
  const { poolMode, isTainted, isLost, isLeaving } = stateOf(client)
  if (isLost || isLeaving || client.getTransactionStatus() !== 'I') return false
  return poolMode === 'transaction' || !isTainted
}

export const isTransactionPooled = (client: pg.ClientBase): boolean =>
  stateOf(client).poolMode === 'transaction'
