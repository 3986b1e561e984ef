import type { Connection, PoolClient, QueryResultRow, Submittable } from 'pg'
import { DatabaseError, Result } from 'pg'
import { type ConnectionState, noteCommand, stateOfConnection } from './connection-state.ts'
import { type Parameter, toWire } from './parameter.ts'
import { writeAtOnce } from './write-at-once.ts'

/** A statement that is prepared once per connection under its name. One name is one text, for ever. */
export interface Statement {
  name: string
  text: string
  values: readonly Parameter[]
  /** Rows come as arrays instead of objects. */
  rowMode?: 'array'
  /** One of endlessly many: a connection keeps only the newest of these prepared. */
  isAdHoc?: true
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

/** How many ad-hoc statements one connection keeps prepared. */
const MOST_AD_HOC = 100

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
  #reader: RowReader | undefined
  #current: QueryResultRow[] = []
  #broken: Error | undefined
  #wire: Wire | undefined
  #state: ConnectionState | undefined

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
    const state = stateOfConnection(wire)
    this.#wire = wire
    this.#state = state
    if (!state.isWatched) {
      state.isWatched = true
      wire.on('parameterStatus', () => {
        state.isTainted = true
      })
    }
    writeAtOnce(wire, (sending) => {
      this.#closeOldest(sending, state)
      this.#send(sending, state)
    })
    this.#expectRows()
  }

  #send(wire: Wire, { prepared }: ConnectionState): void {
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
  #closeOldest(wire: Wire, { adHoc, prepared }: ConnectionState): void {
    for (const { name, isAdHoc } of this.#statements) {
      if (isAdHoc !== true || name === '') continue
      adHoc.delete(name)
      adHoc.add(name)
    }
    for (const name of adHoc) {
      if (adHoc.size <= MOST_AD_HOC) break
      adHoc.delete(name)
      prepared.delete(name)
      wire.close({ type: 'S', name })
    }
  }

  /** Readies the reader for the next statement: from memory, where its rows have been described before. */
  #expectRows(): void {
    this.#current = []
    this.#reader = undefined
    const fields = this.#state?.prepared.get(this.#statement()?.name ?? '')
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
    if (statement !== undefined) this.#state?.prepared.set(statement.name, message.fields)
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
    if (text !== undefined && this.#state !== undefined) noteCommand(this.#state, text)
    const statement = this.#statement()
    if (statement !== undefined && this.#state?.prepared.has(statement.name) === false)
      this.#state.prepared.set(statement.name, [])
    this.#rows.push(this.#current)
    this.#expectRows()
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete()
  }

  /** After an error Postgres skips to the Sync, and only then says in what state the connection is. */
  handleError(error: Error): void {
    failedStatements.set(error, this.#rows.length - this.#countBefore)
    this.#state?.prepared.delete(this.#statement()?.name ?? '')
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
