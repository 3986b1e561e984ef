import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a directory, and those above it that are missing. Node's own `recursive` goes on for ever where a directory that is
 * there can have none in it, such as /proc.
 *
 * @throws the system's error
 */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const parent = dirname(path)
    const isParentMissing = code === 'ENOENT' && (await stat(parent).catch(() => null)) === null
    if (!isParentMissing || parent === path) throw error
    await makeDirectory(parent, mode)
    // Somebody else may have made it meanwhile.
    await makeDirectory(path, mode)
  }
}
