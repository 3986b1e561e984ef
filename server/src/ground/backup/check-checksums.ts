import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { OperatorError } from '../errors.ts'
import { hashFile } from './hash-file.ts'
import { MANIFEST, type Manifest } from './manifest.ts'

/** @throws OperatorError when a file of the backup is missing, or is not what it was */
export async function checkChecksums(
  directory: string,
  { checksums }: Pick<Manifest, 'checksums'>,
): Promise<void> {
  const named = new Set(Object.keys(checksums))
  for (const path of await listFiles(directory))
    if (!named.has(path) && path !== MANIFEST)
      throw new OperatorError(
        `The backup in ${directory} is damaged: ${path} is not of it. Nothing was restored: use another one.`,
      )
  for (const [path, expected] of Object.entries(checksums)) {
    const found = await hashFile(join(directory, path)).catch((error: Error) => error)
    if (found === expected) continue
    const what =
      found instanceof Error ? `could not be read (${found.message})` : 'has changed since'
    throw new OperatorError(
      `The backup in ${directory} is damaged: ${path} ${what}. Nothing was restored: use another one.`,
    )
  }
}

/** Their paths in the backup, with slashes. */
async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
}
