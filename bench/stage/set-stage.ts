import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../server/src/config.ts'
import { newSession } from '../../server/src/features/sessions/new-session.ts'
import { createPasswordHasher } from '../../server/src/ground/crypto/password-hasher.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { asOwner } from '../../server/src/ground/database/prepare-database.ts'
import { readKeys } from '../../server/src/places.ts'
import { type ProcessUsage, readProcessUsage } from '../servers/process-usage.ts'
import { type Floor, startFloor } from '../servers/start-floor.ts'
import { type PieUnderTest, startPie } from '../servers/start-pie.ts'
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
  /** Those who are signed in. */
  sessions: TokenSession[]
  /** Of each process, when it had been up for a moment and asked for nothing. */
  idle: { pie: ProcessUsage | null; floor: ProcessUsage | null }
}

/** As many as are signed in at once: many more than there are connections. */
const SIGNED_IN = 2_000
const SETTLE_MS = 1_500

export async function setStage(options: {
  directory: string
  users: number
  onStarted(stop: () => Promise<void>): void
}): Promise<Stage> {
  const { onStarted, users } = options
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
    seed(owner, users, passwordHash, () => newSession(keys, 'token')),
  )
  const sessions = await signIn(pie, config, keys, accounts.slice(0, SIGNED_IN))

  const databaseUrl = ownerUrl.revealText()
  const floor = await startFloor({ directory: options.directory, databaseUrl, onStarted })
  await sleep(SETTLE_MS)
  const idle = { pie: idlePie, floor: readProcessUsage(floor.pid) }
  return { pie, floor, accounts, password, passwordHash, sessions, idle }
}
