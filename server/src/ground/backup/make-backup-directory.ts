import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import pg from 'pg'
import { OperatorError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { flush, flushToDisk } from './flush-to-disk.ts'

/**
 * Makes a directory that only its owner may enter, beside its place, and moves it there when the work
 * is done: what has the name of a backup is whole.
 *
 * @throws OperatorError when there is something at its place
 */
export async function makeBackupDirectory<T>(
  directory: string,
  work: (unfinished: string) => Promise<T>,
): Promise<T> {
  const there = await readdir(directory).catch((error: NodeJS.ErrnoException) => error)
  if (Array.isArray(there) ? there.length > 0 : there.code !== 'ENOENT')
    throw new OperatorError(
      `${directory} is there already. A backup is written over nothing: give it a new name, such as one with the date.`,
    )
  const unfinished = `${directory}.unfinished`
  await makePlace(unfinished)
  try {
    const made = await work(unfinished)
    await flushToDisk(unfinished)
    await rename(unfinished, directory)
    await flush(dirname(directory))
    return made
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw isFromOutside(error)
      ? new OperatorError(
          `The backup could not be made, and nothing of it was kept: ${error.message}`,
          { cause: error },
        )
      : error
  }
}

async function makePlace(unfinished: string): Promise<void> {
  try {
    await makeDirectory(dirname(unfinished), 0o755)
    await mkdir(unfinished, { mode: 0o700 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new OperatorError(`Could not make ${unfinished}: ${(cause as Error).message}`, {
        cause,
      })
    throw new OperatorError(
      `${unfinished} is there: a backup that is being made, or one that was killed. If none is being made, remove it: ` +
        `rm -r ${unfinished}`,
      { cause },
    )
  }
}

/** A full disk, a file that may not be read, a Postgres that was stopped meanwhile. */
const isFromOutside = (error: unknown): error is Error =>
  error instanceof pg.DatabaseError ||
  (error instanceof Error && ('syscall' in error || /^Connection terminated/.test(error.message)))
