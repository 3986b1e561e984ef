import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'
import {
  ask,
  type BegunTransaction,
  beginAsSession,
  type Connections,
  release,
} from './begin-as-session.ts'
import { isTransactionPooled } from './connection-state.ts'
import { toOneStatement } from './one-statement.ts'
import type { SessionCredential } from './request-transaction.ts'

/** A transaction in which a session is proven: its queries run in the session's database role. */
export interface SessionTransaction {
  /**
   * Runs one statement, as pg's client does. Never more than one: what is separated by semicolons,
   * Postgres refuses (SQLSTATE 42601).
   *
   * @throws pg.DatabaseError for what the statement raised; Refusal `unauthenticated`,
   *   `database_unavailable`, `timeout`
   */
  // biome-ignore lint/suspicious/noExplicitAny: as pg has it, whose place it takes
  query<Row extends QueryResultRow = any>(
    query: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>>
}

/**
 * Runs work as a session's user, in one transaction: what it has done is kept when it resolves, and none
 * of it when it rejects. The session is proven in the round trip of the first query; the commit is one
 * more.
 *
 * @param connections as the role cream: a pool of pg's
 * @throws Refusal `unauthenticated` when Postgres refuses the session, `database_unavailable`, `timeout`;
 *   and whatever the work throws
 */
export async function withSession<T>(
  connections: Connections,
  credential: SessionCredential,
  work: (transaction: SessionTransaction) => Promise<T>,
): Promise<T> {
  const transaction = new RequestTransaction((query) =>
    beginAsSession(connections, credential, query),
  )
  try {
    const result = await work(transaction)
    await transaction.commit()
    return result
  } catch (error) {
    await transaction.rollBack()
    throw error
  }
}

class RequestTransaction implements SessionTransaction {
  readonly #begin: (query: QueryConfig) => Promise<BegunTransaction>
  /** Null until something is asked. */
  #begun: Promise<BegunTransaction> | null = null
  /** Settles with the query that was asked last: one connection does one thing after the other. */
  #last: Promise<unknown> = Promise.resolve()
  #isOver = false

  constructor(begin: (query: QueryConfig) => Promise<BegunTransaction>) {
    this.#begin = begin
  }

  async query(query: string | QueryConfig, values?: unknown[]): Promise<QueryResult> {
    // By then the connection may be at somebody else's work.
    if (this.#isOver) throw new Error('This transaction is over. Await each query inside its work.')
    const config = toOneStatement(query, values)
    if (this.#begun === null) {
      this.#begun = this.#begin(config)
      this.#last = this.#begun.catch(() => {})
      return (await this.#begun).first
    }
    const begun = this.#begun
    const asked = this.#last.then(async () => {
      const { client } = await begun
      return ask(client, () =>
        client.query(isTransactionPooled(client) ? withoutName(config) : config),
      )
    })
    this.#last = asked.catch(() => {})
    return asked
  }

  /** @throws Error where nothing can be kept: a statement has failed, or the work has ended it itself */
  async commit(): Promise<void> {
    // Work that has asked nothing is nevertheless only for who may act.
    if (this.#begun === null) await this.query('select')
    this.#isOver = true
    await this.#last
    const { client } = await (this.#begun as Promise<BegunTransaction>)
    if (client.getTransactionStatus() === 'I')
      throw new Error('The work has ended its transaction itself: leave commit and rollback to it.')
    const { command } = await ask(client, () => client.query('commit'))
    // Postgres answers so, and with no error, where a statement has failed before.
    if (command === 'ROLLBACK')
      throw new Error('Nothing was kept: a statement failed, and the work went on regardless.')
    this.#begun = null
    release(client)
  }

  /** Gives the connection back with nothing kept. */
  async rollBack(): Promise<void> {
    this.#isOver = true
    await this.#last
    const begun = await this.#begun?.catch(() => null)
    this.#begun = null
    if (!begun) return
    await ask(begun.client, () => begun.client.query('rollback')).catch(() => {})
    release(begun.client)
  }
}

/** What it names is prepared on a connection of the server's that is another's with the next transaction. */
const withoutName = ({ name: _, ...config }: QueryConfig): QueryConfig => config
