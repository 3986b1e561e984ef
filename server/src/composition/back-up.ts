/** `pie backup`: what is in a backup, and where it comes from. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type pg from 'pg'
import type { WrittenBackup } from '../edge/cli/command-context.ts'
import { checkSecretKey } from '../features/keys/check-secret-key.ts'
import { listSealedKeys } from '../features/keys/list-sealed-keys.ts'
import { hashFile } from '../ground/backup/hash-file.ts'
import { makeBackupDirectory } from '../ground/backup/make-backup-directory.ts'
import { type Manifest, writeManifest } from '../ground/backup/manifest.ts'
import { deriveKeys } from '../ground/crypto/derive-keys.ts'
import { isPieThere } from '../ground/database/applied-migrations.ts'
import { dumpDatabase, readMajor } from '../ground/database/dump-database.ts'
import { inSnapshot } from '../ground/database/in-snapshot.ts'
import { asOwner } from '../ground/database/prepare-database.ts'
import { readDatabaseRoles } from '../ground/database/read-database-roles.ts'
import { backUpCluster } from '../ground/embedded-postgres/back-up-cluster.ts'
import { OperatorError } from '../ground/errors.ts'
import { ownPackage } from '../ground/own-package.ts'
import { readEnvironment } from '../settings/environment.ts'
import type { Config } from '../settings/read-config.ts'
import { findDatabase, ownerOf } from './find-database.ts'

/** The data of a backup, as its manifest describes it. */
type Data = Pick<Manifest, 'kind' | 'made_at' | 'client_major' | 'directories' | 'checksums'>

/** Writes a backup into a directory that is not there yet, whether or not a Pie is running. */
export async function backUp(config: Config, givenDirectory: string): Promise<WrittenBackup> {
  const directory = resolve(givenDirectory)
  const dataDirectory = join(resolve(config.DATA_DIR), 'postgres', 'data')
  const isEmbedded = config.DATABASE_URL === null && config.REQUEST_DATABASE_URL === null
  if (isEmbedded && !existsSync(dataDirectory))
    throw new OperatorError(
      `There is nothing to back up in ${resolve(config.DATA_DIR)}. Set DATA_DIR, or DATABASE_URL, to what your Pie has.`,
    )
  if (isEmbedded && `${directory}/`.startsWith(`${dataDirectory}/`))
    throw new OperatorError('A backup cannot be in what it is a backup of. Give it another place.')
  return makeBackupDirectory(directory, async (unfinished) => {
    const database = await findDatabase(config, 'command')
    try {
      await asOwner(ownerOf(database).directUrl, async (owner) => {
        await checkIsPie(owner, database.place)
        // Whoever keeps the wrong key cannot restore.
        if (config.SECRET_KEY !== null) await checkSecretKey(owner, deriveKeys(config.SECRET_KEY))
        const manifest = isEmbedded
          ? await copy(owner, dataDirectory, unfinished)
          : await dump(owner, unfinished)
        await writeManifest(unfinished, manifest)
      })
    } finally {
      await database.close()
    }
    return {
      directory,
      kind: isEmbedded ? 'embedded' : 'dump',
      place: database.place,
      secretKeyFile: isEmbedded && config.SECRET_KEY === null ? keptKeyOf(config) : null,
    }
  })
}

function keptKeyOf({ DATA_DIR }: Config): string | null {
  const file = join(resolve(DATA_DIR), 'secret-key')
  return existsSync(file) ? file : null
}

async function checkIsPie(owner: pg.Client, place: string): Promise<void> {
  if (!(await isPieThere(owner)))
    throw new OperatorError(`There is no Pie in ${place} yet, and nothing to back up.`)
}

async function copy(
  superuser: pg.Client,
  dataDirectory: string,
  unfinished: string,
): Promise<Manifest> {
  const description = await describe(superuser)
  const { files, directories } = await backUpCluster(superuser, dataDirectory, unfinished)
  const checksums = [...files].map(([path, { checksum }]) => [path, checksum])
  return arrange(description, {
    kind: 'embedded',
    made_at: new Date().toISOString(),
    client_major: null,
    directories,
    checksums: Object.fromEntries(checksums),
  })
}

const DUMP = 'database.dump'

async function dump(owner: pg.Client, unfinished: string): Promise<Manifest> {
  const file = join(unfinished, DUMP)
  return inSnapshot(owner, async (snapshot) => {
    const made_at = new Date().toISOString()
    const description = await describe(owner)
    const path = readEnvironment()['PATH'] ?? ''
    const { major } = await dumpDatabase(owner, { snapshot, file, path })
    return arrange(description, {
      kind: 'dump',
      made_at,
      client_major: major,
      directories: [],
      checksums: { [DUMP]: await hashFile(file) },
    })
  })
}

type Description = Awaited<ReturnType<typeof describe>>

async function describe(owner: pg.Client) {
  const { rows } = await owner.query<{ database: string; owner: string }>(
    'select current_database() as database, current_user as owner',
  )
  const sealed = await listSealedKeys(owner)
  return {
    postgres_major: await readMajor(owner),
    database: rows[0]?.database ?? '',
    owner: rows[0]?.owner ?? '',
    sealed_signing_keys: sealed.map(({ kid, sealedPrivate }) => ({
      kid,
      sealed_private: sealedPrivate.toString('base64'),
    })),
    ...(await readDatabaseRoles(owner)),
  }
}

/** In the order in which somebody reads it. */
function arrange(
  description: Description,
  { made_at, kind, client_major, ...files }: Data,
): Manifest {
  return {
    format: 1,
    made_at,
    pie_version: ownPackage.version,
    kind,
    client_major,
    platform: `${process.platform}-${process.arch}`,
    ...description,
    ...files,
  }
}
