/** A database with people in it: ada and grace are users, dorothy is an admin. Each has a session. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { authenticateText, deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { type Database, openDatabase } from '../../server/src/ground/database/pool.ts'
import type { SessionCredential } from '../../server/src/ground/database/request-transaction.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { cloneDatabase, testSecretKey } from '../../test/harness/cluster.ts'

const [keys] = deriveKeys([Secret.fromText(testSecretKey)])
if (keys === undefined) throw new Error('There is no key to derive from.')
export const testKeys = keys

/** The password hash that everybody here has; nobody signs in with it. */
export const someHash = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$c29tZWhhc2g'

export type LoginRole = 'pie_auth' | 'cream'

export interface Session {
  id: string
  proof: Buffer
}

export interface Person {
  id: string
  email: string
  session: Session
}

export interface PeopledDatabase {
  url: string
  /** Connected as the owner. */
  owner: pg.Client
  ada: Person
  grace: Person
  dorothy: Person
  /** The address of a login role, with the password that Pie gives it. */
  urlOf(role: LoginRole): Secret
  /** A connection as a login role or the owner, closed with the database. */
  connectAs(role: LoginRole | 'owner'): Promise<pg.Client>
  /** The server's own pool of connections for request transactions, closed with the database. */
  openRequests(connections: number): Database
  /** Runs SQL in a committed request transaction of this person; null: as cream, without a session. */
  request(person: Person | null, sql: string, values?: unknown[]): Promise<pg.QueryResult>
  close(): Promise<void>
}

export async function openPeopledDatabase(): Promise<PeopledDatabase> {
  const { url, drop } = await cloneDatabase()
  const open: { end(): Promise<unknown> }[] = []
  const connect = async (address: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: address })
    client.on('error', () => {})
    await client.connect()
    open.push(client)
    return client
  }
  const urlOf = (role: LoginRole): Secret => {
    const address = new URL(url)
    const password = role === 'cream' ? testKeys.requestRolePassword : testKeys.authRolePassword
    address.username = role
    address.password = password.revealText()
    return Secret.fromText(address.href)
  }
  const connectAs = (role: LoginRole | 'owner') =>
    connect(role === 'owner' ? url : urlOf(role).revealText())
  const owner = await connect(url)
  const [ada, grace, dorothy] = [
    await addPerson(owner, 'ada'),
    await addPerson(owner, 'grace'),
    await addPerson(owner, 'dorothy'),
  ]
  await owner.query(`select pie_private.grant_role('dorothy@example.com', 'admin')`)
  const cream = await connectAs('cream')
  return {
    url,
    owner,
    ada,
    grace,
    dorothy,
    urlOf,
    connectAs,
    openRequests: (connections) => {
      const database = openDatabase(urlOf('cream'), createLog('silent', false), { connections })
      open.push({ end: async () => database.pool.ended || database.pool.end() })
      return database
    },
    request: (person, sql, values) =>
      inTransaction(cream, async () => {
        if (person !== null) await authenticate(cream, person.session)
        return cream.query(sql, values)
      }),
    close: async () => {
      for (const connection of open) await connection.end()
      await drop()
    },
  }
}

export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

export async function authenticate(client: pg.ClientBase, { id, proof }: Session): Promise<void> {
  await client.query('select pie_private.authenticate($1, $2)', [id, proof])
}

/** Registers somebody and starts a session for them. Their address is theirs: ada@example.com. */
export async function addPerson(owner: pg.ClientBase, name: string): Promise<Person> {
  const id = randomUUID()
  const email = `${name}@example.com`
  await owner.query(`select pie_private.register_user($1, $2, $3, $4, '192.0.2.1')`, [
    id,
    email,
    name,
    someHash,
  ])
  return { id, email, session: await addSession(owner, id) }
}

/** The proof that Pie shows for a session. */
export const proofOf = (sessionId: string): Buffer =>
  authenticateText(testKeys.sessionProof, sessionId)

export const hashOf = (proof: Buffer): Buffer => createHash('sha256').update(proof).digest()

export async function addSession(
  owner: pg.ClientBase,
  userId: string,
  lifetime = '1 hour',
  kind: 'browser' | 'token' = 'token',
): Promise<Session> {
  const id = randomUUID()
  const proof = proofOf(id)
  await owner.query(
    `select pie_private.start_session($1, $2, $3, $4, '{pwd}', $5, '30 days', '192.0.2.1', 'tests')`,
    [userId, id, kind, hashOf(proof), lifetime],
  )
  return { id, proof }
}

/** What a request shows Postgres for a person. */
export const credentialOf = ({ session }: Person): SessionCredential => ({
  sessionId: session.id,
  proofs: [session.proof],
})

export const guessedProof = (): Buffer => randomBytes(32)

/** Resolves when what a connection is doing waits for a lock of another, or has been done. */
export async function untilItWaits(
  owner: pg.ClientBase,
  client: pg.Client,
  doing: Promise<unknown>,
): Promise<void> {
  const { processID } = client as unknown as { processID: number }
  let isWaiting = false
  const done = () => {
    isWaiting = true
  }
  doing.then(done, done)
  while (!isWaiting) {
    const { rows } = await owner.query(
      'select cardinality(pg_blocking_pids($1)) > 0 as is_waiting',
      [processID],
    )
    isWaiting ||= rows[0].is_waiting
  }
}
