/** `pie restore`: proves the key, checks the backup, and puts it back where nothing is. */
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { RestoredBackup } from '../edge/cli/command-context.ts'
import { checkOpensKeys } from '../features/keys/check-opens-keys.ts'
import { checkRestored } from '../features/operations/check-restored.ts'
import { checkChecksums } from '../ground/backup/check-checksums.ts'
import { type Manifest, readManifest } from '../ground/backup/manifest.ts'
import { deriveKeys } from '../ground/crypto/derive-keys.ts'
import type { Secret } from '../ground/crypto/secret.ts'
import { inTurn } from '../ground/database/in-turn.ts'
import { asOwner } from '../ground/database/prepare-database.ts'
import { restoreDump } from '../ground/database/restore-dump.ts'
import { embeddedMajor } from '../ground/embedded-postgres/embedded-major.ts'
import { checkNoCluster, restoreCluster } from '../ground/embedded-postgres/restore-cluster.ts'
import { OperatorError } from '../ground/errors.ts'
import { makeDirectory } from '../ground/make-directory.ts'
import { readEnvironment } from '../settings/environment.ts'
import type { Config } from '../settings/read-config.ts'
import { findDatabase, ownerOf } from './find-database.ts'
import { findSecretKey } from './find-secret-key.ts'

/** @param ask asks for SECRET_KEY at the terminal */
export async function restoreBackup(
  config: Config,
  givenDirectory: string,
  ask: () => Promise<string>,
): Promise<RestoredBackup> {
  const directory = resolve(givenDirectory)
  const manifest = await readManifest(directory)
  const postgres = join(resolve(config.DATA_DIR), 'postgres')
  checkKind(config, manifest)
  if (manifest.kind === 'embedded') await checkNoCluster(postgres)

  const { keys, isTyped } = await findSecretKey(config, ask)
  const sealed = manifest.sealed_signing_keys.map(({ kid, sealed_private }) => ({
    kid,
    sealedPrivate: Buffer.from(sealed_private, 'base64'),
  }))
  checkOpensKeys(sealed, deriveKeys(keys))
  await checkChecksums(directory, manifest)

  const { kind, made_at, pie_version } = manifest
  const common = { kind, made_at, pie_version, keptKeyIn: null }
  if (kind === 'dump') {
    return { ...common, ...(await load(config, directory, manifest)) }
  }
  const restored = await put(directory, manifest, postgres)
  const keptKeyIn = isTyped ? await keepKey(config, keys) : null
  return { ...common, ...restored, place: resolve(config.DATA_DIR), keptKeyIn }
}

function checkKind({ DATABASE_URL }: Config, manifest: Manifest): void {
  const { kind, platform, postgres_major, pie_version } = manifest
  if (kind === 'embedded' && DATABASE_URL !== null)
    throw new OperatorError(
      'This backup is of an embedded Postgres, and is restored as one: leave DATABASE_URL out.',
    )
  if (kind === 'dump' && DATABASE_URL === null)
    throw new OperatorError(
      'This backup is a dump: set DATABASE_URL to an empty database that it is restored into.',
    )
  const here = `${process.platform}-${process.arch}`
  if (kind === 'embedded' && platform !== here)
    throw new OperatorError(
      `This backup holds the data directory of a Postgres on ${platform}, which one on ${here} does not read. ` +
        'Restore it there, and move from there with a dump: docs/guides/backup.md.',
    )
  if (kind === 'embedded' && postgres_major !== (embeddedMajor() ?? postgres_major))
    throw new OperatorError(
      `This backup is of Postgres ${postgres_major}, and this Pie brings ${embeddedMajor()}. Restore it with Pie ${pie_version}, ` +
        'and move from there with a dump: docs/guides/backup.md.',
    )
}

const kidsOf = ({ sealed_signing_keys }: Manifest) => sealed_signing_keys.map(({ kid }) => kid)

async function put(directory: string, manifest: Manifest, postgres: string) {
  const look = (url: Secret) => asOwner(url, (owner) => checkRestored(owner, kidsOf(manifest)))
  const found = await restoreCluster(directory, manifest, postgres, look)
  return { ...found, rolesMade: [], left: [] }
}

async function load(config: Config, directory: string, manifest: Manifest) {
  const [name = ''] = Object.keys(manifest.checksums)
  const dump = { file: join(directory, name), path: readEnvironment()['PATH'] ?? '' }
  const database = await findDatabase(config, 'command')
  return asOwner(ownerOf(database).directUrl, (owner) =>
    inTurn(owner, async () => {
      const restored = await restoreDump(owner, manifest, dump)
      const found = await checkRestored(owner, kidsOf(manifest))
      return { ...restored, ...found, place: database.place }
    }),
  )
}

async function keepKey({ DATA_DIR }: Config, [key]: Secret[]): Promise<string> {
  const file = join(resolve(DATA_DIR), 'secret-key')
  await makeDirectory(DATA_DIR, 0o711)
  await writeFile(file, key?.revealText() ?? '', { mode: 0o600, flag: 'wx', flush: true })
  return file
}
