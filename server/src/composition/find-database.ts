/** Where the database is, as the configuration says. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Secret } from '../ground/crypto/secret.ts'
import { hostsInWords, readAddress } from '../ground/database/postgres-address.ts'
import { startEmbeddedPostgres } from '../ground/embedded-postgres/start-embedded-postgres.ts'
import { OperatorError } from '../ground/errors.ts'
import { withFiles } from '../ground/system-error.ts'
import type { Config } from '../settings/read-config.ts'

/** How the owner connects. */
export interface OwnerUrls {
  url: Secret
  /** The same past a pooler. */
  directUrl: Secret
}

export interface FoundDatabase {
  /** Null for a node that is given the login roles alone. */
  owner: OwnerUrls | null
  /** Where it is, in words for the operator. */
  place: string
  /** Whether it is Pie's own, in DATA_DIR. */
  isEmbedded: boolean
  /** Resolves when an embedded Postgres has ended by itself. */
  ended: Promise<void>
  close(): Promise<void>
}

/** The database of the addresses that are set, or an embedded one in DATA_DIR, which is started if need be. */
export async function findDatabase(
  config: Config,
  kind: 'server' | 'command',
): Promise<FoundDatabase> {
  const { DATABASE_URL: url, REQUEST_DATABASE_URL: requestUrl } = config
  if (url === null && requestUrl === null) return findEmbedded(config, kind)
  return {
    owner: url === null ? null : { url, directUrl: config.DIRECT_DATABASE_URL ?? url },
    place: placeOf(url, requestUrl),
    isEmbedded: false,
    ended: new Promise(() => {}),
    close: async () => {},
  }
}

async function findEmbedded(config: Config, kind: 'server' | 'command'): Promise<FoundDatabase> {
  const directory = join(resolve(config.DATA_DIR), 'postgres')
  const { url, ended, stop } = await withFiles(
    'Set DATA_DIR to a directory that Pie may write.',
    () => startEmbeddedPostgres({ directory, holder: { kind } }),
  )
  return {
    owner: { url, directUrl: url },
    place: `${resolve(config.DATA_DIR)} (embedded Postgres)`,
    isEmbedded: true,
    ended,
    close: stop,
  }
}

function placeOf(owner: Secret | null, requests: Secret | null): string {
  const address = readAddress((owner ?? requests)?.revealText() ?? '')
  const setting = owner === null ? 'REQUEST_DATABASE_URL' : 'DATABASE_URL'
  return `database ${address.database ?? ''} on ${hostsInWords(address)} (${setting})`
}

/** The owner's address, which commands need. */
export function ownerOf({ owner }: FoundDatabase): OwnerUrls {
  if (owner === null)
    throw new OperatorError(
      'Commands work as the owner of the database: set DATABASE_URL to their address.',
    )
  return owner
}

/**
 * For what looks at a Pie, or changes one: in the wrong directory it would make another, which answers as if it were the right one.
 * @throws OperatorError
 */
export function checkThere({ DATABASE_URL, REQUEST_DATABASE_URL, DATA_DIR }: Config): void {
  if (DATABASE_URL !== null || REQUEST_DATABASE_URL !== null) return
  if (existsSync(join(DATA_DIR, 'postgres', 'data'))) return
  throw new OperatorError(
    `There is no Pie in ${resolve(DATA_DIR)} yet; pie start makes one. If yours is elsewhere, set DATA_DIR or DATABASE_URL, or go to ` +
      'the directory that has your .env.',
  )
}
