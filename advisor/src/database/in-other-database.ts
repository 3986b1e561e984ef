import pg from 'pg'
import { AdvisorError } from '../errors.ts'
import { bareSettings } from './roll-back.ts'

/** How long the server may take to answer at all. */
const CONNECT_WITHIN_MS = 10_000

/** Works on a database that a command was given besides its own. */
export async function inOtherDatabase<T>(
  address: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  if (!URL.canParse(address))
    throw new AdvisorError(
      'The address of a database looks like postgres://user:password@host:5432/database.',
    )
  const client = new pg.Client({
    connectionString: address,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    application_name: 'pie advisor',
  })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(bareSettings('session'))
  } catch (cause) {
    throw new AdvisorError(
      `Could not connect to ${new URL(address).host}: ${(cause as Error).message || cause}.`,
      { cause },
    )
  }
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
