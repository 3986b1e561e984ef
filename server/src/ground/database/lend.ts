import type pg from 'pg'
import type { Refusal } from '../errors.ts'
import { cutOff } from './lost-connection.ts'
import type { TakeShare } from './share.ts'

/** What one piece of work may have of Postgres, over however many connections and statements. */
export interface Allowance {
  /** How much may still come from it. */
  bytesLeft: number
  /** What the work is refused with where more comes. */
  refuse(): Refusal
  /** Waits until whoever it is done for may have one more connection. */
  takeShare: TakeShare
}

/**
 * Lends a connection within an allowance. What arrives on it is counted until it is released; as soon as it is too much,
 * Pie hangs up: so that it is neither kept nor parsed, even where all of it is one row. Postgres then stops sending, too.
 */
export async function lend(
  take: () => Promise<pg.PoolClient>,
  allowance: Allowance,
): Promise<pg.PoolClient> {
  const giveBack = await allowance.takeShare()
  const client = await take().catch((error) => {
    giveBack()
    throw error
  })
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
    giveBack()
    release.call(client, destroy)
  }
  stream.on('data', count)
  return client
}
