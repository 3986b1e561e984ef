import type pg from 'pg'
import type { Refusal } from '../errors.ts'
import { cutOff } from './lost-connection.ts'

/** How much may still come from Postgres for one piece of work, over however many connections and statements. */
export interface ByteAllowance {
  bytesLeft: number
  /** What its statements are refused with where more comes. */
  refuse(): Refusal
}

/**
 * Counts what arrives on a connection until it is released, and hangs up on Postgres as soon as it is too much: so
 * that it is neither kept nor parsed, even where all of it is one row. Postgres then stops sending, too.
 */
export function watchBytes(client: pg.PoolClient, allowance: ByteAllowance): pg.PoolClient {
  const { stream } = (client as unknown as { connection: { stream: NodeJS.ReadableStream } })
    .connection
  const count = (chunk: Buffer): void => {
    allowance.bytesLeft -= chunk.length
    if (allowance.bytesLeft < 0) cutOff(client, allowance.refuse())
  }
  const release = client.release
  // Of this time alone: the pool makes another for whoever has the connection next.
  client.release = (destroy) => {
    stream.off('data', count)
    release.call(client, destroy)
  }
  stream.on('data', count)
  return client
}
