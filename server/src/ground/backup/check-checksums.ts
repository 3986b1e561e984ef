import { join } from 'node:path'
import { OperatorError } from '../errors.ts'
import { hashFile } from './hash-file.ts'
import type { Manifest } from './manifest.ts'

/** @throws OperatorError when a file of the backup is missing, or is not what it was */
export async function checkChecksums(
  directory: string,
  { checksums }: Pick<Manifest, 'checksums'>,
): Promise<void> {
  for (const [path, expected] of Object.entries(checksums)) {
    const found = await hashFile(join(directory, path)).catch((error: Error) => error)
    if (found === expected) continue
    const what =
      found instanceof Error ? `could not be read (${found.message})` : 'has changed since'
    throw new OperatorError(
      `The backup in ${directory} is damaged: ${path} ${what}. Nothing was restored: take another backup.`,
    )
  }
}
