import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import { copyFile } from '../backup/copy-file.ts'
import { OperatorError } from '../errors.ts'
import { type CopiedDirectory, copyDataDirectory } from './copy-data-directory.ts'

/** Of this connection, and gone with it. */
const slotName = () => `pie_backup_${process.pid}`

/**
 * Copies a running server's data directory to `data` in another one, as PostgreSQL's low-level API for
 * backups has it: whatever is written meanwhile is in the WAL, which is copied with it. Until the end
 * the server keeps that WAL for a replication slot.
 *
 * @param superuser a connection that nothing else is done on
 */
export async function backUpCluster(
  superuser: pg.Client,
  dataDirectory: string,
  intoDirectory: string,
): Promise<CopiedDirectory> {
  await checkTablespaces(superuser)
  await superuser.query('select pg_create_physical_replication_slot($1, true, true)', [slotName()])
  try {
    const begun = await superuser.query<{ file: string }>(
      `select pg_walfile_name(pg_backup_start('pie backup', fast => true)) as file`,
    )
    const copied = await copyDataDirectory(dataDirectory, intoDirectory)
    const { rows } = await superuser.query<Stopped>(
      // The last byte of the backup: the end itself may be the first byte of a segment yet to come.
      `select labelfile, spcmapfile, pg_walfile_name(lsn - 1) as file from pg_backup_stop()`,
    )
    const [stopped] = rows
    if (stopped === undefined) throw new Error('pg_backup_stop said nothing')
    await writeLabel(intoDirectory, copied, 'data/backup_label', stopped.labelfile)
    await writeLabel(intoDirectory, copied, 'data/tablespace_map', stopped.spcmapfile)
    const range = { first: begun.rows[0]?.file ?? '', last: stopped.file }
    await copyWal(dataDirectory, intoDirectory, copied, range)
    return copied
  } finally {
    // A backup that has not been stopped ends with the connection; so would the slot.
    await superuser.query('select pg_drop_replication_slot($1)', [slotName()]).catch(() => {})
  }
}

interface Stopped {
  labelfile: string
  spcmapfile: string
  file: string
}

/** Pie's tablespace is inside the data directory. Another one may be anywhere. */
async function checkTablespaces(superuser: pg.Client): Promise<void> {
  const { rows } = await superuser.query<{ name: string; location: string }>(
    `select spcname as name, pg_tablespace_location(oid) as location from pg_tablespace
     where pg_tablespace_location(oid) not in ('', 'pg_tblspc/' || oid)`,
  )
  const [outside] = rows
  if (outside === undefined) return
  throw new OperatorError(
    `The tablespace ${outside.name} lies outside DATA_DIR, in ${outside.location}, and this backup would be without it. ` +
      'Move what is in it to pie_tablespace, and drop it.',
  )
}

async function writeLabel(
  intoDirectory: string,
  { files }: CopiedDirectory,
  path: string,
  content: string,
): Promise<void> {
  if (content === '') return
  await writeFile(join(intoDirectory, path), content, { mode: 0o600 })
  const checksum = createHash('sha256').update(content).digest('hex')
  files.set(path, { checksum, bytes: Buffer.byteLength(content) })
}

/** Segments are named so that their order is the order of their names. The last was ended by the stop. */
async function copyWal(
  dataDirectory: string,
  intoDirectory: string,
  { files }: CopiedDirectory,
  { first, last }: { first: string; last: string },
): Promise<void> {
  const segments = (await readdir(join(dataDirectory, 'pg_wal'))).filter(
    (name) => /^[0-9A-F]{24}$/.test(name) && name >= first && name <= last,
  )
  if (!segments.includes(first) || !segments.includes(last))
    throw new Error(`the WAL from ${first} to ${last} is not all there`)
  for (const name of segments) {
    const path = `data/pg_wal/${name}`
    files.set(path, await copyFile(join(dataDirectory, 'pg_wal', name), join(intoDirectory, path)))
  }
}
