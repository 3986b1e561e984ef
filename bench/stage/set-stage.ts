import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Keys, readKeys } from '../../server/src/composition/read-keys.ts'
import { newSession } from '../../server/src/features/sessions/new-session.ts'
import { createPasswordHasher } from '../../server/src/ground/crypto/password-hasher.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { readConfig } from '../../server/src/settings/read-config.ts'
import { type ProcessUsage, readProcessUsage } from '../servers/process-usage.ts'
import { type Floor, startFloor } from '../servers/start-floor.ts'
import { type PieUnderTest, startPie } from '../servers/start-pie.ts'
import { startValkey, type Valkey } from '../servers/start-valkey.ts'
import { type CookieSession, toCookieSession } from './cookie-session.ts'
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
  /** Of each process, when it had been up for a moment and asked for nothing. */
  idle: { pie: ProcessUsage | null; floor: ProcessUsage | null }
  /** Starts another node of the same Pie, with settings of its own. */
  startNode(settings: Record<string, string>): Promise<PieUnderTest>
  /** Starts another floor, which reaches a Valkey too. */
  startFloorOn(valkey: Valkey): Promise<Floor>
  /** Null, once that has been said, where there is no Valkey and no Redis to start. */
  startValkey(forWhat: string): Promise<Valkey | null>
  say(line: string): void
}

/** As many as are signed in at once: many more than there are connections. */
const SIGNED_IN = 2_000
const SETTLE_MS = 1_500

export async function setStage(options: {
  directory: string
  users: number
  onStarted(stop: () => Promise<void>): void
  say(line: string): void
}): Promise<Stage> {
  const { onStarted, users, say } = options
  const secretKey = randomBytes(33).toString('base64url')
  const pie = await startPie({ directory: options.directory, secretKey, onStarted })
  await sleep(SETTLE_MS)
  const idlePie = readProcessUsage(pie.pid)

  const config = readConfig(pie.environment)
  const keys = await readKeys(config)
  const ownerUrl = await readOwnerUrl(options.directory)
  const password = 'correct horse battery staple'
  const hasher = createPasswordHasher(1)
  const passwordHash = await hasher.hash(Secret.fromText(password))
  await hasher.close()
  const accounts = await asOwner(ownerUrl, (owner) =>
    seed(owner, users, passwordHash, (kind) => newSession(keys, kind)),
  )
  const sessions = await signIn(pie, config, keys, accounts.slice(0, SIGNED_IN))

  const cookies = accounts.map((account) => toCookieSession(keys, account))

  const started = { directory: options.directory, onStarted }
  const databaseUrl = ownerUrl.revealText()
  const floor = await startFloor({ ...started, databaseUrl })
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
    idle,
    say,
    startNode: (settings) =>
      startPie({
        ...started,
        secretKey,
        // One issuer: a token of one node is good on all.
        settings: { DATABASE_URL: databaseUrl, SERVICE_DOMAIN: pie.address, ...settings },
      }),
    startFloorOn: ({ url }) => startFloor({ ...started, databaseUrl, cacheUrl: url }),
    startValkey: async (forWhat) => {
      const valkey = await startValkey(started)
      if (valkey === null)
        say(`${forWhat}: there is neither valkey-server nor redis-server on the PATH`)
      return valkey
    },
  }
}
