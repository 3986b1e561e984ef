import pg from 'pg'
import type { DerivedKeys } from '../crypto/derive-keys.ts'
import type { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { adviseOnTls } from './advise-on-tls.ts'
import { checkServer } from './check-server.ts'
import { asLogin } from './login-address.ts'
import { migrate, readMigrations } from './migrate.ts'
import { readPoolMode, readProcess } from './pool-mode.ts'
import { scramVerifier } from './scram-verifier.ts'

/**
 * Works on a database as its owner, and closes the connection afterwards.
 * @throws OperatorError when the server cannot be reached
 */
export async function asOwner<T>(url: Secret, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = await connectAsOwner(url)
  try {
    if ((await readPoolMode(owner)) === 'transaction') await checkIsOwnConnection(owner, url)
    return await work(owner)
  } finally {
    await owner.end()
  }
}

async function connectAsOwner(url: Secret): Promise<pg.Client> {
  try {
    const owner = new pg.Client({
      connectionString: url.revealText(),
      connectionTimeoutMillis: 10_000,
      application_name: 'pie owner',
    })
    owner.on('error', () => {})
    owner.on('notice', ({ severity, message }) => {
      if (severity === 'WARNING') process.stderr.write(`warning: ${message}\n`)
    })
    await owner.connect()
    return owner
  } catch (cause) {
    throw new OperatorError(
      `Could not connect to Postgres as the owner: ${(cause as Error).message || cause}. ` +
        `${adviseOnTls(cause) ?? 'Check DATABASE_URL.'}`,
      { cause },
    )
  }
}

/**
 * The owner takes turns with others by a lock that belongs to a connection. Two clients of a pooler in
 * transaction mode are given the same one.
 */
async function checkIsOwnConnection(owner: pg.Client, url: Secret): Promise<void> {
  const other = await connectAsOwner(url)
  try {
    if ((await readProcess(owner)) !== (await readProcess(other))) return
  } finally {
    await other.end()
  }
  throw new OperatorError(
    'The owner connects through a connection pooler in transaction mode. Set DIRECT_DATABASE_URL to an address ' +
      'of the same database past the pooler, or of one in session mode. See docs/guides/poolers.md.',
  )
}

/** Checks the server and migrates. To be called in turn. Returns the names of the migrations that ran. */
export async function prepareDatabase(owner: pg.Client): Promise<string[]> {
  await checkServer(owner)
  return migrate(owner, await readMigrations())
}

/** The login roles whose passwords Pie sets, and which derived key is the password of each. */
const derivedPasswords = { pie_auth: 'authRolePassword', cream: 'requestRolePassword' } as const

/**
 * The addresses of a login role whose password is derived from SECRET_KEY, the one that fits first. Any
 * of its keys may be the one that the password was made from, so that SECRET_KEY can be changed one node
 * at a time; when none fits, the password is set to the first's.
 *
 * @param directUrl the owner's address past a pooler, where it is tried which password fits: a pooler may
 *   refuse a role for reasons of its own
 */
export async function prepareLoginRole(
  owner: pg.Client,
  ownerUrl: Secret,
  role: keyof typeof derivedPasswords,
  keys: readonly DerivedKeys[],
  directUrl: Secret = ownerUrl,
): Promise<[Secret, ...Secret[]]> {
  const ownerName = await readName(owner)
  const addresses = keys.map((key) => {
    const password = key[derivedPasswords[role]]
    return {
      url: asLogin(ownerUrl, ownerName, role, password),
      directUrl: asLogin(directUrl, ownerName, role, password),
    }
  })
  for (const { url, directUrl } of addresses) {
    if (!(await canConnect(directUrl))) continue
    return [url, ...addresses.map((other) => other.url).filter((other) => other !== url)]
  }
  await setRolePassword(owner, role, keys)
  const [first, ...others] = addresses.map(({ url }) => url)
  if (first === undefined) throw new OperatorError('There is no SECRET_KEY.')
  return [first, ...others]
}

async function readName(owner: pg.Client): Promise<string> {
  const { rows } = await owner.query<{ name: string }>('select session_user as name')
  return rows[0]?.name ?? ''
}

/**
 * Sets a login role's password to the one of the first key of SECRET_KEY. Nodes that have that key, in
 * whichever place, go on.
 */
export async function setRolePassword(
  owner: pg.Client,
  role: keyof typeof derivedPasswords,
  keys: readonly DerivedKeys[],
): Promise<void> {
  const [key] = keys
  if (key === undefined) throw new OperatorError('There is no SECRET_KEY.')
  try {
    const verifier = scramVerifier(key[derivedPasswords[role]])
    await owner.query(`alter role ${role} password ${owner.escapeLiteral(verifier)}`)
  } catch (cause) {
    const setting = role === 'cream' ? 'REQUEST_DATABASE_URL' : 'AUTH_DATABASE_URL'
    throw new OperatorError(
      `Could not set the password of the database role ${role}: ${(cause as Error).message}. ` +
        `Set it yourself, and set ${setting}.`,
      { cause },
    )
  }
}

async function canConnect(url: Secret): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url.revealText(),
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
