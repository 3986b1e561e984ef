import type pg from 'pg'
import type { Restored } from '../../features/operations/check-restored.ts'
import type { Manifest } from '../../ground/backup/manifest.ts'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import type { Secret } from '../../ground/crypto/secret.ts'
import type { LoginRole } from '../../ground/database/login-roles.ts'
import type { RestoredDump } from '../../ground/database/restore-dump.ts'
import type { Ground } from '../../ground/ground.ts'
import type { Policy } from '../../ground/policy.ts'

/** What commands work with. Main gives it, because only main knows the configuration. */
export interface CommandContext {
  version: string
  /** Starts Pie, and returns when it has been stopped. */
  serve(options: { isDevelopment: boolean }): Promise<void>
  /**
   * Works on the database as its owner, whether or not a Pie is running on it.
   * @throws OperatorError, before anything is done, when SECRET_KEY is not the one of this database
   */
  asOwner<T>(work: (place: OwnerContext) => Promise<T>, options?: OwnerOptions): Promise<T>
  /** Only looks at the database, as its owner: needs no SECRET_KEY. */
  onDatabase<T>(work: (place: LookContext) => Promise<T>): Promise<T>
  /**
   * Asks a running node something that is for operators alone.
   * @param address null for the node of SOCKET
   * @throws OperatorError when it does not answer, or does not take this SECRET_KEY
   */
  askNode(path: string, address: string | null): Promise<unknown>
  /** Writes a backup into a directory that is not there yet. */
  backUp(directory: string): Promise<WrittenBackup>
  /**
   * Restores a backup where nothing is.
   * @param askForKey asks for SECRET_KEY, where it is neither set nor kept
   */
  restore(directory: string, askForKey: () => Promise<string>): Promise<RestoredBackup>
}

export interface WrittenBackup {
  directory: string
  kind: Manifest['kind']
  /** Where the database is, in words for the operator. */
  place: string
  /** The file that SECRET_KEY is kept in, when it is not set. */
  secretKeyFile: string | null
}

export interface RestoredBackup extends Restored, RestoredDump {
  kind: Manifest['kind']
  made_at: string
  pie_version: string
  /** Where it was restored to, in words for the operator. */
  place: string
  /** Where a key that was typed is kept from now on. */
  keptKeyIn: string | null
}

export interface OwnerOptions {
  /** Whether it may be the first thing that is ever run, and make the embedded database. */
  makesPie?: boolean
  /** For the one command that makes another SECRET_KEY the database's. */
  mayBeWrong?: boolean
  /** How long it waits for what a request holds, before that request is ended. */
  patienceMs?: number
}

export interface LookContext {
  owner: pg.Client
  /** The login roles: cream and pie_auth, unless the operator has others. */
  logins: { requests: string; auth: string }
  /** GRAPHQL_SCHEMAS. */
  graphqlSchemas: readonly string[]
  /** Null where none is set. */
  readKeys(): Promise<readonly [DerivedKeys, ...DerivedKeys[]] | null>
  /** The login roles that live by SECRET_KEY, and have a password that none of these keys makes. */
  findLockedOut(keys: readonly DerivedKeys[]): Promise<string[]>
  /** @throws OperatorError where there is no Pie on the database */
  findPie(): Promise<void>
}

export interface OwnerContext {
  owner: pg.Client
  /**
   * Sees that Pie is there; on Pie's own database it is made, so that a command may be the first thing that is ever run.
   * @throws OperatorError where there is none on one of the operator's
   */
  prepare(): Promise<void>
  /** Brings the database up to date. Returns the names of the migrations that ran now. */
  migrate(): Promise<string[]>
  keys: readonly [DerivedKeys, ...DerivedKeys[]]
  policy: Policy
  hasher: Ground['hasher']
  /** The owner's address, and those of the two login roles: the one whose password fits first. */
  urls(): Promise<{
    owner: Secret
    auth: readonly [Secret, ...Secret[]]
    requests: readonly [Secret, ...Secret[]]
  }>
  /** The login roles whose passwords Pie sets, because the operator has not. */
  ownRoles: readonly LoginRole[]
  /** Whether the database is Pie's own, in DATA_DIR. */
  isEmbedded: boolean
  /** SERVICE_DOMAIN is https. */
  isProduction: boolean
}
