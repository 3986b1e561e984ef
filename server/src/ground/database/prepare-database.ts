import pg from 'pg'
import type { DerivedKeys } from '../crypto/derive-keys.ts'
import { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { checkServer } from './check-server.ts'
import { migrate, readMigrations } from './migrate.ts'
import { scramVerifier } from './scram-verifier.ts'

/**
 * Works on a database as its owner, and closes the connection afterwards.
 * @throws OperatorError when the server cannot be reached
 */
export async function asOwner<T>(url: Secret, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({
    connectionString: url.revealText(),
    connectionTimeoutMillis: 10_000,
    application_name: 'pie owner',
  })
  owner.on('error', () => {})
  owner.on('notice', ({ severity, message }) => {
    if (severity === 'WARNING') process.stderr.write(`warning: ${message}\n`)
  })
  try {
    await owner.connect()
  } catch (cause) {
    throw new OperatorError(
      `Could not connect to Postgres as the owner: ${(cause as Error).message || cause}. Check DATABASE_URL.`,
      { cause },
    )
  }
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
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
 */
export async function prepareLoginRole(
  owner: pg.Client,
  ownerUrl: Secret,
  role: keyof typeof derivedPasswords,
  keys: readonly DerivedKeys[],
): Promise<[Secret, ...Secret[]]> {
  const urls = keys.map((key) => withCredentials(ownerUrl, role, key[derivedPasswords[role]]))
  for (const url of urls) {
    if (await canConnect(url)) return [url, ...urls.filter((other) => other !== url)]
  }
  await setRolePassword(owner, role, keys)
  const [url, ...others] = urls
  if (url === undefined) throw new OperatorError('There is no SECRET_KEY.')
  return [url, ...others]
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

function withCredentials(url: Secret, user: string, password: Secret): Secret {
  const address = new URL(url.revealText())
  address.username = user
  address.password = password.revealText()
  return Secret.fromText(address.href)
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
