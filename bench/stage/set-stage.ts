import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { type Keys, readKeys } from '../../server/src/composition/read-keys.ts'
import { makeIdentity } from '../../server/src/features/sessions/start-session.ts'
import { createPasswordHasher } from '../../server/src/ground/crypto/password-hasher.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { readConfig } from '../../server/src/settings/read-config.ts'
import type { PostgresVersion } from '../options.ts'
import { type ProcessUsage, readParentPid, readProcessUsage } from '../servers/process-usage.ts'
import { type Floor, startFloor } from '../servers/start-floor.ts'
import { type PieUnderTest, startPie } from '../servers/start-pie.ts'
import { startValkey, type Valkey } from '../servers/start-valkey.ts'
import { makeAwaitedTables } from './awaited-tables.ts'
import { type CookieSession, toCookieSession } from './cookie-session.ts'
import { startPostgres15 } from './other-postgres.ts'
import { readOwnerUrl } from './owner-url.ts'
import type { TokenSession } from './pie-exchanges.ts'
import { type Account, seed } from './seed.ts'
import { signIn } from './sign-in.ts'

/** Pie and its floor, running on one Postgres, with people in it. */
export interface Stage {
  pie: PieUnderTest
  floor: Floor
  accounts: Account[]
  /** Everybody's password, and its hash. */
  password: string
  passwordHash: string
  /** Those who are signed in: with tokens, and everybody with a cookie. */
  sessions: TokenSession[]
  cookies: CookieSession[]
  keys: Keys
  /** Connects to their Postgres as the owner. */
  ownerUrl: Secret
  /** Of their Postgres. Null where the system does not say. */
  postmasterPid: number | null
  /** Of each process, when it had been up for a moment and asked for nothing. */
  idle: { pie: ProcessUsage | null; floor: ProcessUsage | null }
  /** Starts another node of the same Pie, with settings of its own. */
  startNode(settings: Record<string, string>): Promise<PieUnderTest>
  /** Starts another floor, which reaches a Valkey too. */
  startFloorOn(valkey: Valkey): Promise<Floor>
  /** Null, once that has been said, where there is no Valkey and no Redis to start. */
  startValkey(forWhat: string): Promise<Valkey | null>
  /** Stops Pie, its floor and their Postgres. */
  close(): Promise<void>
  say(line: string): void
}

/** As many as are signed in at once: many more than there are connections. */
const SIGNED_IN = 2_000
const SETTLE_MS = 1_500

export async function setStage(options: {
  directory: string
  postgres: PostgresVersion
  users: number
  onStarted(stop: () => Promise<void>): void
  say(line: string): void
}): Promise<Stage> {
  const { directory, onStarted, users, say } = options
  await mkdir(directory, { mode: 0o711 })
  const secretKey = randomBytes(33).toString('base64url')
  // 18 is the one that Pie brings along and starts itself.
  const other = options.postgres === 15 ? await startPostgres15(onStarted) : null
  const settings: Record<string, string> =
    other === null ? {} : { DATABASE_URL: other.ownerUrl.revealText() }
  const pie = await startPie({ directory, secretKey, settings, onStarted })
  await sleep(SETTLE_MS)
  const idlePie = readProcessUsage(pie.pid)

  const config = readConfig(pie.environment)
  const keys = await readKeys(config)
  const ownerUrl = other?.ownerUrl ?? (await readOwnerUrl(directory))
  const password = 'correct horse battery staple'
  const hasher = createPasswordHasher(1)
  const passwordHash = await hasher.hash(Secret.fromText(password))
  await hasher.close()
  const accounts = await asOwner(ownerUrl, (owner) =>
    seed(owner, users, passwordHash, (kind) => makeIdentity(keys, kind)),
  )
  const awaitedUrl = await asOwner(ownerUrl, (owner) => makeAwaitedTables(owner, ownerUrl))
  const sessions = await signIn(pie, config, keys, accounts.slice(0, SIGNED_IN))

  const cookies = accounts.map((account) => toCookieSession(keys, account, pie.address))

  const started = { directory, onStarted }
  const databaseUrl = ownerUrl.revealText()
  const floorUrls = { databaseUrl, awaitedUrl: awaitedUrl.revealText() }
  const floor = await startFloor({ ...started, ...floorUrls })
  await sleep(SETTLE_MS)
  const idle = { pie: idlePie, floor: readProcessUsage(floor.pid) }
  return {
    pie,
    floor,
    accounts,
    password,
    passwordHash,
    sessions,
    cookies,
    keys,
    ownerUrl,
    postmasterPid: await asOwner(ownerUrl, findPostmasterPid),
    idle,
    say,
    startNode: (settings) =>
      startPie({
        ...started,
        secretKey,
        // One issuer: a token of one node is good on all.
        settings: { DATABASE_URL: databaseUrl, SERVICE_DOMAIN: pie.address, ...settings },
      }),
    startFloorOn: ({ url }) => startFloor({ ...started, ...floorUrls, cacheUrl: url }),
    startValkey: async (forWhat) => {
      const valkey = await startValkey(started)
      if (valkey === null)
        say(`${forWhat}: there is neither valkey-server nor redis-server on the PATH`)
      return valkey
    },
    close: async () => {
      await floor.stop()
      await pie.stop()
      await other?.stop()
    },
  }
}

/** A process of Postgres that works for a connection is a child of the postmaster. */
async function findPostmasterPid(owner: pg.Client): Promise<number | null> {
  const { rows } = await owner.query<{ pid: number }>('select pg_backend_pid() as pid')
  return readParentPid(rows[0]?.pid ?? 0)
}
