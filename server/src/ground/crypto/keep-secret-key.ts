import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from '../make-directory.ts'
import { Secret } from './secret.ts'

/** The SECRET_KEY of a Pie that was given none: made at its first start, and kept in DATA_DIR. */
export async function keepSecretKey(dataDirectory: string): Promise<Secret> {
  const file = join(dataDirectory, 'secret-key')
  await makeDirectory(dataDirectory, 0o711)
  // Written whole under another name first: of two Pies that start at once, one's key is kept by both.
  const unfinished = `${file}.${process.pid}`
  await writeFile(unfinished, randomBytes(33).toString('base64url'), { mode: 0o600 })
  try {
    await link(unfinished, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(unfinished)
  }
  return Secret.fromText((await readFile(file, 'utf8')).trim())
}
