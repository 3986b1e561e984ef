import type { Parameter } from '../../../ground/database/parameter.ts'
import type { Statement } from '../../../ground/database/pipeline.ts'
import type { Database, Row } from '../../../ground/database/pool.ts'
import {
  requestTransaction,
  type SessionCredential,
} from '../../../ground/database/request-transaction.ts'
import type { SessionTransaction } from '../../../ground/database/with-session.ts'

/** A statement as PostGraphile makes it. */
interface PgClientQuery {
  text: string
  values?: readonly unknown[]
  arrayMode?: boolean
  /** The hash of its text. */
  name?: string
}

interface PgClientResult {
  rows: readonly Row[]
  rowCount: number
  notices: readonly never[]
}

/** What PostGraphile works with in place of a connection. */
interface PgClient {
  query(query: PgClientQuery): Promise<PgClientResult>
  withTransaction<T>(work: (client: PgClient) => Promise<T>): Promise<T>
}

/** What PostGraphile asks for a client, once for each statement. */
export type WithPgClient = <T>(
  settings: Readonly<Record<string, string>> | null,
  work: (client: PgClient) => T | Promise<T>,
) => Promise<T>

/** Reads: each statement is a request transaction of its own, in one round trip. */
export function readAs(database: Database, credential: SessionCredential): WithPgClient {
  const client = createClient(async (query) => {
    const [rows = []] = await requestTransaction(database, credential, toStatement(query))
    return { rows, rowCount: rows.length, notices: [] }
  })
  return async (_settings, work) => work(client)
}

/** Stands for every statement that is not sent because one before it has failed. */
export const abandoned = new Error('an earlier part of this mutation has failed')

/**
 * Changes: all statements of an operation run in one transaction, one after the other. After the first
 * that fails no other is sent.
 */
export function changeIn(transaction: SessionTransaction): WithPgClient {
  let hasFailed = false
  let last: Promise<unknown> = Promise.resolve()
  const send = async ({ text, values = [], arrayMode }: PgClientQuery): Promise<PgClientResult> => {
    if (hasFailed) throw abandoned
    try {
      const rowMode = arrayMode === true && { rowMode: 'array' }
      const { rows, rowCount } = await transaction.query({ text, values: [...values], ...rowMode })
      return { rows, rowCount: rowCount ?? 0, notices: [] }
    } catch (error) {
      hasFailed = true
      throw error
    }
  }
  const client = createClient((query) => {
    const sent = last.then(() => send(query))
    last = sent.catch(() => {})
    return sent
  })
  return async (_settings, work) => work(client)
}

/** What is made of the catalog before a schema is built from it: JSON, as PostGraphile reads it. */
export interface CatalogReading {
  /** What has been read before, by the statement that reads it. */
  read: Map<string, string>
  revise(text: string): string
}

/**
 * Reads the catalog as a database role. No session is proven, so row-level security shows nothing of
 * anybody.
 */
export function introspectAs(
  database: Pick<Database, 'send'>,
  reading: CatalogReading,
): WithPgClient {
  return async (settings, work) => {
    const role = settings?.['role'] ?? 'webuser'
    const client = createClient(async (query) => {
      let rows: readonly Row[] = []
      if (!reading.read.has(query.text)) {
        ;[, , rows = []] = await database.send(resetRole, takeRole(role), toStatement(query))
        const text = rows[0]?.['introspection']
        // Anything else is asked for values of the application's, such as tables that are enums.
        if (typeof text !== 'string') return { rows, rowCount: rows.length, notices: [] }
        reading.read.set(query.text, text)
      }
      const introspection = reading.revise(reading.read.get(query.text) ?? '')
      return { rows: [{ introspection }], rowCount: 1, notices: [] }
    })
    return work(client)
  }
}

const resetRole: Statement = { name: '', text: 'reset role', values: [] }
const takeRole = (role: string): Statement => ({
  name: '',
  text: `select set_config('role', $1, true)`,
  values: [role],
})

/** Of a hash, in hexadecimal: names in Postgres have 63 characters at most. */
const HASH_CHARACTERS = 48

function toStatement({ text, values = [], arrayMode, name = '' }: PgClientQuery): Statement {
  return {
    // Whatever else is prepared under this name was found by `authenticate`.
    name: name === '' ? '' : `graphql_${name.slice(0, HASH_CHARACTERS)}`,
    text,
    values: values as readonly Parameter[],
    isAdHoc: true,
    ...(arrayMode === true && { rowMode: 'array' }),
  }
}

function createClient(query: PgClient['query']): PgClient {
  const client: PgClient = { query, withTransaction: (work) => work(client) }
  return client
}
