import pg, { type Connection, type PoolClient, type QueryConfig, type QueryResult } from 'pg'
import { toWire } from './parameter.ts'
import type { Statement } from './pipeline.ts'
import { writeAtOnce } from './write-at-once.ts'

/** The part of pg's connection that is used here; its public types name little of it. */
interface Wire {
  stream: { writable: boolean; write(bytes: Buffer): boolean }
  parse(message: { name: string; text: string }): void
  bind(message: {
    portal: string
    statement: string
    values: (string | Buffer | null)[]
    binary: boolean
  }): void
  execute(message: { portal: string; rows: number }): void
}

/** What pg's query is to its client. */
interface QueryOnWire {
  submit(connection: Connection): Error | null
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Connection): void
  handleError(error: Error, connection: Connection): void
}

const Query = pg.Query as unknown as new (
  config: QueryConfig,
  settle: (error: Error | null, result: QueryResult) => void,
) => QueryOnWire

const failedBefore = new WeakSet<Error>()

/** Whether what failed was a statement that went before a query, and not the query itself. */
export const hasFailedBefore = (error: unknown): boolean =>
  error instanceof Error && failedBefore.has(error)

/**
 * Runs a query as pg does, with some statements before it in the same round trip: Parse, Bind and Execute
 * of each, then the query's own, one Sync. When one of them raises, the query does not run.
 *
 * @throws pg.DatabaseError of whichever failed; `hasFailedBefore` tells
 */
export function queryAfter(
  client: PoolClient,
  statements: readonly Statement[],
  config: QueryConfig,
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    client.query(
      new QueryAfter(statements, config, (error, result) =>
        error === null ? resolve(result) : reject(error),
      ),
    )
  })
}

class QueryAfter extends Query {
  readonly #statements: readonly Statement[]
  #incomplete: number

  constructor(
    statements: readonly Statement[],
    // Without its name, which pg would note as prepared as soon as a statement before it has been.
    { name: _, ...config }: QueryConfig,
    settle: (error: Error | null, result: QueryResult) => void,
  ) {
    super(config, settle)
    this.#statements = statements
    this.#incomplete = statements.length
  }

  override submit(connection: Connection): Error | null {
    let failure: Error | null = null
    writeAtOnce(connection as unknown as Wire, (wire) => {
      for (const { text, values } of this.#statements) {
        wire.parse({ name: '', text })
        wire.bind({ portal: '', statement: '', values: values.map(toWire), binary: false })
        wire.execute({ portal: '', rows: 0 })
      }
      failure = super.submit(wire as unknown as Connection)
    })
    return failure
  }

  /** What the statements before it return is not described, and wanted by nobody. */
  override handleDataRow(message: unknown): void {
    if (this.#incomplete === 0) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#incomplete > 0) this.#incomplete -= 1
    else super.handleCommandComplete(message, connection)
  }

  override handleError(error: Error, connection: Connection): void {
    if (this.#incomplete > 0) failedBefore.add(error)
    super.handleError(error, connection)
  }
}
