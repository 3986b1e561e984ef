import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Copied, copyFile } from '../backup/copy-file.ts'

export interface CopiedDirectory {
  /** By the path from the directory's own parent: `data/PG_VERSION`. */
  files: Map<string, Copied>
  directories: string[]
}

/** Directories whose content is of one run of the server, or another's. They themselves have to be there. */
const emptied = new Set(
  ['wal', 'replslot', 'dynshmem', 'notify', 'serial', 'snapshots', 'stat_tmp', 'subtrans'].map(
    (name) => `data/pg_${name}`,
  ),
)

/** What the directories of WAL are made of. Their content is copied after the end of the backup. */
const ofWal = ['data/pg_wal/archive_status', 'data/pg_wal/summaries']

/** What a server makes for itself (PostgreSQL, "Making a Base Backup Using the Low Level API"). */
const ofOneRun =
  /^(postmaster\.(pid|opts)|pgsql_tmp.*|pg_internal\.init.*|(postgresql\.auto\.conf|current_logfiles)\.tmp|current_logfiles|backup_(label|manifest)|tablespace_map)(\.old)?$/

const CONTROL_FILE = 'data/global/pg_control'

/**
 * Copies a data directory while its server works in it, to `data` in another directory. What has been
 * torn in the copy is in the WAL too, which is to be copied afterwards.
 */
export async function copyDataDirectory(
  dataDirectory: string,
  intoDirectory: string,
): Promise<CopiedDirectory> {
  const copied: CopiedDirectory = { files: new Map(), directories: [] }
  const from = (path: string) => join(dataDirectory, path.slice('data'.length))
  const copyAll = async (path: string): Promise<void> => {
    await mkdir(join(intoDirectory, path), { mode: 0o700 })
    copied.directories.push(path)
    if (emptied.has(path)) return
    for (const entry of await orVanished(readdir(from(path), { withFileTypes: true }), [])) {
      const below = `${path}/${entry.name}`
      if (ofOneRun.test(entry.name) || below === CONTROL_FILE) continue
      if (entry.isDirectory() || emptied.has(below)) await copyAll(below)
      if (entry.isFile()) await copyOne(below)
    }
  }
  const copyOne = async (path: string): Promise<void> => {
    const file = await orVanished(copyFile(from(path), join(intoDirectory, path)), null)
    if (file !== null) copied.files.set(path, file)
  }
  await copyAll('data')
  for (const path of ofWal) await copyAll(path)
  const control = await readControlFile(from(CONTROL_FILE))
  await writeFile(join(intoDirectory, CONTROL_FILE), control, { mode: 0o600 })
  const checksum = createHash('sha256').update(control).digest('hex')
  copied.files.set(CONTROL_FILE, { checksum, bytes: control.length })
  return copied
}

async function orVanished<T, U>(reading: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await reading
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise
    throw error
  }
}

/** This one file is not in the WAL, and on some systems may be read while half of it has been written. */
async function readControlFile(path: string): Promise<Buffer> {
  for (let before = await readFile(path); ; ) {
    await sleep(20)
    const now = await readFile(path)
    if (now.equals(before)) return now
    before = now
  }
}
