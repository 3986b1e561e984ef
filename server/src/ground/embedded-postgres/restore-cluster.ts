import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { copyFile } from '../backup/copy-file.ts'
import type { Manifest } from '../backup/manifest.ts'
import { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { createCluster } from './create-cluster.ts'
import { findPostmaster, stopPostmaster } from './postmaster.ts'
import { setOwnerPassword } from './set-owner-password.ts'
import { startEmbeddedPostgres } from './start-embedded-postgres.ts'

/** @throws OperatorError when there is a cluster, or part of one */
export async function checkNoCluster(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => error)
  if (Array.isArray(names) ? names.length === 0 : names.code === 'ENOENT') return
  throw new OperatorError(
    `There is a Postgres in ${directory} already, and a backup is restored over nothing. ` +
      'Stop Pie and move that directory away, or set DATA_DIR to another one.',
  )
}

/**
 * Puts a backup's data directory in place, with a new password for its owner. It is made beside its
 * place, started and looked at there, and moved when it is found good.
 *
 * @param look may refuse by throwing
 */
export async function restoreCluster<T>(
  backup: string,
  { checksums, directories }: Pick<Manifest, 'checksums' | 'directories'>,
  directory: string,
  look: (url: Secret) => Promise<T>,
): Promise<T> {
  const unfinished = `${directory}.restoring`
  await clear(unfinished)
  try {
    await makeDirectory(unfinished, 0o711)
    for (const path of directories) await mkdir(join(unfinished, path), { mode: 0o700 })
    for (const path of Object.keys(checksums))
      await copyFile(join(backup, path), join(unfinished, path))
    // Makes a password, as for a new one, which this server does not know yet.
    const cluster = await createCluster(unfinished)
    const password = (await readFile(join(unfinished, 'password'), 'utf8')).trim()
    await setOwnerPassword(cluster, Secret.fromText(password))
    const postgres = await startEmbeddedPostgres({
      directory: unfinished,
      holder: { kind: 'command' },
    })
    const found = await look(postgres.url).finally(postgres.stop)
    await rename(unfinished, directory)
    return found
  } catch (error) {
    await clear(unfinished)
    throw error
  }
}

/** What a restore that was killed has left behind: perhaps a server too. */
async function clear(unfinished: string): Promise<void> {
  if (!existsSync(unfinished)) return
  const postmaster = findPostmaster(join(unfinished, 'data'))
  if (postmaster !== null) await stopPostmaster(postmaster.pid)
  await rm(unfinished, { recursive: true, force: true })
}
