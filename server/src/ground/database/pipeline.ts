import type { Connection, PoolClient, QueryResultRow, Submittable } from 'pg'
import { DatabaseError, Result } from 'pg'
import { type Parameter, toWire } from './parameter.ts'
import { isPooled } from './way.ts'
import { writeAtOnce } from './write-at-once.ts'

/** A statement that is prepared once per connection under its name. One name is one text, for ever. */
export interface Statement {
  name: string
  text: string
  values: readonly Parameter[]
  /** Rows come as arrays instead of objects. */
  rowMode?: 'array'
  /** One of endlessly many: a connection keeps only the newest of these prepared. */
  isPassing?: true
}

/**
 * Runs several prepared statements in one round trip and one transaction.
 *
 * Bind and Execute of each are sent before a single Sync, so Postgres runs them as one implicit
 * transaction (PostgreSQL manual, "Extended Query", 53.2.3): all of it is kept, or, when one raises,
 * none of it, and the statements after that one do not run. Settings made with
 * `set_config(…, is_local)` last until the Sync and no longer, so the connection goes back clean.
 *
 * @param before statements that go ahead of them, whose rows nobody wants
 * @returns the rows of each statement, in order
 * @throws pg.DatabaseError of the first statement that failed
 */
export function sendTogether(
  client: PoolClient,
  statements: readonly Statement[],
  before: readonly Statement[] = [],
): Promise<QueryResultRow[][]> {
  return new Promise((resolve, reject) => {
    client.query(new Pipeline(statements, before, resolve, reject))
  })
}

const failedStatements = new WeakMap<Error, number>()

/** Which statement of its pipeline an error belongs to, counted from 0 and not from what went before. */
export const failedStatementOf = (error: Error): number | undefined => failedStatements.get(error)

/** How many passing statements one connection keeps prepared. */
const MOST_PASSING = 100

/** The passing statements that one connection may have prepared, the oldest first. */
const passingOn = new WeakMap<object, Set<string>>()

/** What one connection has prepared: the description of each statement's rows, by its name. */
const preparedOn = new WeakMap<object, Map<string, unknown[]>>()

/**
 * Connections on which something was done that outlives its transaction, such as `set`, `prepare`,
 * `listen` or `create temp table`: never given to anybody else.
 */
const marked = new WeakSet<object>()

/** The command tags of what leaves nothing on the connection once its transaction has ended. */
const leavesNothing =
  /^(SELECT|INSERT|UPDATE|DELETE|MERGE|RESET|EXPLAIN|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|LOCK)\b/

/** Notes what a statement may have left on a connection. */
export function noteCommand(client: PoolClient, tag: string): void {
  if (!leavesNothing.test(tag)) marked.add((client as unknown as { connection: object }).connection)
}

/**
 * Whether the next request may have this connection. Behind a pooler what was left is on a connection of
 * the server's that is nobody's by now.
 */
export function isClean(client: PoolClient): boolean {
  const { connection } = client as unknown as { connection: object }
  return client.getTransactionStatus() === 'I' && (isPooled(client) || !marked.has(connection))
}

/** The part of pg's connection that a pipeline speaks to; its public types name little of it. */
interface Wire {
  on(event: 'parameterStatus', listener: () => void): void
  once(event: 'readyForQuery' | 'end', listener: () => void): void
  off(event: 'readyForQuery' | 'end', listener: () => void): void
  stream: { writable: boolean; write(bytes: Buffer): boolean }
  parse(message: { name: string; text: string; types: number[] }): void
  bind(message: {
    portal: string
    statement: string
    values: (string | Buffer | null)[]
    binary: boolean
  }): void
  describe(message: { type: 'P'; name: string }): void
  execute(message: { portal: string; rows: number }): void
  close(message: { type: 'S'; name: string }): void
  sync(): void
  sendCopyFail(reason: string): void
}

interface RowReader {
  addFields(fields: unknown[]): void
  parseRow(values: unknown[]): QueryResultRow
}

class Pipeline implements Submittable {
  readonly #statements: readonly Statement[]
  readonly #countBefore: number
  readonly #parameters: (string | Buffer | null)[][]
  readonly #resolve: (rows: QueryResultRow[][]) => void
  readonly #reject: (error: Error) => void
  readonly #rows: QueryResultRow[][] = []
  #prepared: Map<string, unknown[]> = new Map()
  #reader: RowReader | undefined
  #current: QueryResultRow[] = []
  #broken: Error | undefined
  #wire: Wire | undefined

  constructor(
    statements: readonly Statement[],
    before: readonly Statement[],
    resolve: (rows: QueryResultRow[][]) => void,
    reject: (error: Error) => void,
  ) {
    this.#statements = before.length === 0 ? statements : [...before, ...statements]
    this.#countBefore = before.length
    this.#parameters = this.#statements.map(({ values }) => values.map(toWire))
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as Wire
    const prepared = preparedOn.get(wire) ?? new Map<string, unknown[]>()
    if (!preparedOn.has(wire)) {
      preparedOn.set(wire, prepared)
      // Reported when a setting that matters to a driver is changed for longer than its transaction.
      wire.on('parameterStatus', () => marked.add(wire))
    }
    this.#wire = wire
    this.#prepared = prepared
    const passing = passingOn.get(wire) ?? new Set()
    passingOn.set(wire, passing)
    writeAtOnce(wire, (sending) => {
      this.#closeOldest(sending, passing)
      this.#send(sending)
    })
    this.#expectRows()
  }

  #send(wire: Wire): void {
    const prepared = this.#prepared
    for (const [index, { name, text }] of this.#statements.entries()) {
      const isPrepared = name !== '' && prepared.has(name)
      if (!isPrepared) {
        // A statement whose first use failed may or may not be there; closing one that is not is no error.
        if (name !== '') wire.close({ type: 'S', name })
        wire.parse({ name, text, types: [] })
      }
      wire.bind({
        portal: '',
        statement: name,
        values: this.#parameters[index] ?? [],
        binary: false,
      })
      if (!isPrepared) wire.describe({ type: 'P', name: '' })
      wire.execute({ portal: '', rows: 0 })
    }
    wire.sync()
  }

  /**
   * Before everything else, because nothing keeps it from running then. What has failed counts too:
   * Postgres keeps a statement whose execution has failed.
   */
  #closeOldest(wire: Wire, passing: Set<string>): void {
    for (const { name, isPassing } of this.#statements) {
      if (isPassing !== true || name === '') continue
      passing.delete(name)
      passing.add(name)
    }
    for (const name of passing) {
      if (passing.size <= MOST_PASSING) break
      passing.delete(name)
      this.#prepared.delete(name)
      wire.close({ type: 'S', name })
    }
  }

  /** Readies the reader for the next statement: from memory, where its rows have been described before. */
  #expectRows(): void {
    this.#current = []
    this.#reader = undefined
    const fields = this.#prepared.get(this.#statement()?.name ?? '')
    if (fields !== undefined) this.#readRowsOf(fields)
  }

  #statement(): Statement | undefined {
    return this.#statements[this.#rows.length]
  }

  #readRowsOf(fields: unknown[]): void {
    const rowMode = this.#statement()?.rowMode ?? ''
    this.#reader = new Result(rowMode, undefined as never) as unknown as RowReader
    this.#reader.addFields(fields)
  }

  handleRowDescription(message: { fields: unknown[] }): void {
    const statement = this.#statement()
    if (statement !== undefined) this.#prepared.set(statement.name, message.fields)
    this.#readRowsOf(message.fields)
  }

  handleDataRow(message: { fields: unknown[] }): void {
    try {
      if (this.#reader !== undefined) this.#current.push(this.#reader.parseRow(message.fields))
    } catch (error) {
      this.#broken = error as Error
    }
  }

  handleCommandComplete({ text }: { text?: string } = {}): void {
    if (text !== undefined && this.#wire !== undefined && !leavesNothing.test(text))
      marked.add(this.#wire)
    const statement = this.#statement()
    if (statement !== undefined && !this.#prepared.has(statement.name))
      this.#prepared.set(statement.name, [])
    this.#rows.push(this.#current)
    this.#expectRows()
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete()
  }

  /** After an error Postgres skips to the Sync, and only then says in what state the connection is. */
  handleError(error: Error): void {
    failedStatements.set(error, this.#rows.length - this.#countBefore)
    this.#prepared.delete(this.#statement()?.name ?? '')
    const wire = this.#wire
    if (wire === undefined || !(error instanceof DatabaseError) || error.severity === 'FATAL') {
      this.#reject(error)
      return
    }
    const settle = () => {
      wire.off('readyForQuery', settle)
      wire.off('end', settle)
      this.#reject(error)
    }
    wire.once('readyForQuery', settle)
    wire.once('end', settle)
  }

  handleReadyForQuery(): void {
    if (this.#broken !== undefined) this.#reject(this.#broken)
    else this.#resolve(this.#countBefore === 0 ? this.#rows : this.#rows.slice(this.#countBefore))
  }

  handlePortalSuspended(): void {}

  handleCopyData(): void {}

  handleCopyInResponse(connection: Connection): void {
    const wire = connection as unknown as Wire
    wire.sendCopyFail('a pipeline takes no copy')
    // While it takes a copy, Postgres skips the Sync that was sent (PostgreSQL manual, 53.2.6).
    wire.sync()
  }
}
