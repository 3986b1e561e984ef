import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** As many as Node works on at once. Several that wait for one disk together wait no longer than one. */
const AT_ONCE = 4

/** Makes sure that a directory and all in it outlives a power failure. */
export async function flushToDisk(directory: string): Promise<void> {
  const names = await readdir(directory, { recursive: true })
  const paths = [directory, ...names.map((name) => join(directory, name))]
  const flushNext = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) await flush(path)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, flushNext))
}

/** One file, or the names in one directory. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
