import pg from 'pg'
import { AdvisorError } from '../errors.ts'
import { readTls } from './read-tls.ts'
import { bareSettings } from './roll-back.ts'

/** How long the server may take to answer at all. */
const CONNECT_WITHIN_MS = 10_000

/** Works on the database at an address that somebody gave, of which nothing but the host is ever said. */
export async function onDatabaseAt<T>(
  address: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(checkAddress(address))
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** @throws AdvisorError for what `pg` would misread: a piece of a password for the host, say */
function checkAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null
  const isOne =
    url !== null &&
    /^postgres(ql)?:$/.test(url.protocol) &&
    // What follows the host has an @ only where a password before it has a / ? or # in it.
    !/@/.test(url.pathname + url.search + url.hash) &&
    [url.username, url.password, url.pathname].every(isEncoded)
  if (isOne) return url
  throw new AdvisorError(
    'The address of a database looks like postgres://user:password@host:5432/database. ' +
      'In a password, write / : ? # @ and % as %2F %3A %3F %23 %40 and %25.',
  )
}

function isEncoded(text: string): boolean {
  try {
    return decodeURIComponent(text) !== null
  } catch {
    return false
  }
}

async function connect(url: URL): Promise<pg.Client> {
  const { attempts, rest } = await readTls(url)
  let cause: unknown
  for (const ssl of attempts) {
    const client = new pg.Client({
      connectionString: rest,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      application_name: 'pie advisor',
      ssl,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query(bareSettings('session'))
      return client
    } catch (error) {
      cause = error
      if (!/does not support SSL/.test((error as Error).message)) break
    }
  }
  throw new AdvisorError(`Could not connect to ${url.host || 'localhost'}: ${inWords(cause)}`, {
    cause,
  })
}

function inWords(cause: unknown): string {
  const { message, code = '' } = cause as NodeJS.ErrnoException
  const said = `${message || cause}`.replace(/\.?$/, '.')
  if (/CERT|SIGNATURE/.test(code))
    return `${said} Its certificate does not hold: sslrootcert=/path/to/its-ca.pem names the CA, and sslmode=require asks for none.`
  if (/does not support SSL/.test(said)) return `${said} sslmode=disable does without TLS.`
  return said
}
