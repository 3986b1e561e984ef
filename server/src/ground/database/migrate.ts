import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { OperatorError } from '../errors.ts'
import { readApplied, setOf } from './applied-migrations.ts'
import { describeSqlError, watchStatements } from './describe-sql-error.ts'
import { readMade } from './made-objects.ts'
import { pinOwnersSettings } from './pin-settings.ts'
import { splitStatements } from './split-statements.ts'
import { withoutDefaultPrivileges } from './without-default-privileges.ts'

export interface Migration {
  /**
   * The name it is recorded by: `0001-roles.sql`; `compatible/0026-nodes.sql` for one with which nodes of the version before go
   * on; of an application's own, `notes/0001-notes.sql`.
   */
  name: string
  sql: string
  /** SHA-256 of the file, hexadecimal. */
  checksum: string
  /** The file, for whoever has to look into it. */
  file: string
}

const migrationsDirectory = fileURLToPath(
  new URL('../../../../database/migrations/', import.meta.url),
)

/** Where Pie's own are recorded. A database that has had more of the second is merely one version ahead. */
export const PIES_OWN = '.'
export const COMPATIBLE = 'compatible'
const COMPATIBLE_MARK = '-- compatible: '

export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(migrationsDirectory))
    .filter((name) => /^\d{4}-[a-z-]+\.sql$/.test(name))
    .sort()
  return Promise.all(
    names.map(async (name) => {
      const migration = await readMigration(join(migrationsDirectory, name), name)
      return migration.sql.startsWith(COMPATIBLE_MARK)
        ? { ...migration, name: `${COMPATIBLE}/${name}` }
        : migration
    }),
  )
}

export async function readMigration(file: string, name: string): Promise<Migration> {
  const sql = await readFile(file, 'utf8')
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex'), file }
}

/**
 * Runs the migrations that this database has not seen, each in a transaction of its own. To be called
 * in turn.
 *
 * @returns the names of those that ran now
 * @throws OperatorError when a released migration was changed, or the database has newer ones
 */
export async function migrate(owner: pg.Client, migrations: Migration[]): Promise<string[]> {
  const pending = await findPending(owner, migrations)
  for (const migration of pending) await run(owner, migration)
  return pending.map(({ name }) => basename(name))
}

/** Pie's own migrations that `migrate` would run. Changes nothing. */
export async function findPending(
  owner: Pick<pg.ClientBase, 'query'>,
  migrations: Migration[],
): Promise<Migration[]> {
  return pendingOf(migrations, await readApplied(owner))
}

/** @throws OperatorError when a released migration was changed, or the database has newer ones that are not compatible */
export function pendingOf(
  migrations: Migration[],
  applied: readonly { name: string; checksum: string }[],
): Migration[] {
  const isOwn = ({ name }: { name: string }) => [PIES_OWN, COMPATIBLE].includes(setOf(name))
  for (const { name, checksum } of applied.filter(isOwn)) {
    const known = migrations.find((migration) => migration.name === name)
    if (known === undefined && setOf(name) === PIES_OWN) {
      throw new OperatorError(
        `The database has had the migration ${name}, which this version of Pie does not know. ` +
          'It was migrated by a newer one: run that.',
      )
    }
    if (known !== undefined && known.checksum !== checksum) {
      throw new OperatorError(
        `The migration ${basename(name)} is not the one that this database has had. A released migration is never changed: ` +
          'install the version of Pie again.',
      )
    }
  }
  return migrations.filter(({ name }) => !applied.some((one) => one.name === name))
}

/**
 * Runs one migration in a transaction, and records it.
 * @throws OperatorError that says where in the file it failed
 */
export async function run(owner: pg.Client, migration: Migration): Promise<void> {
  const { name, sql, checksum } = migration
  const isOwn = [PIES_OWN, COMPATIBLE].includes(setOf(name))
  checkNoTransaction(migration)
  await owner.query('begin')
  const statements = watchStatements(owner)
  try {
    // The owner's default privileges are meant for what is the owner's, not for what is Pie's.
    if (isOwn) await withoutDefaultPrivileges(owner, () => statements.run(sql))
    const made = isOwn ? null : await readMade(owner, () => statements.run(sql))
    await owner.query('insert into pie_private.migrations (name, checksum) values ($1, $2)', [
      name,
      checksum,
    ])
    if (made !== null)
      await owner.query('update pie_private.migrations set made = $2 where name = $1', [name, made])
    await owner.query('commit')
    // What a file has set for its own sake, the next does not find.
    await owner.query('reset role; reset all')
    await pinOwnersSettings(owner)
  } catch (cause) {
    await owner.query('rollback')
    throw new OperatorError(
      `The migration ${name} failed, and nothing of it was kept: ${describeSqlError(cause, migration, statements.done())}${isOwn ? adviseOnRights(cause) : ''}`,
      { cause },
    )
  }
}

function adviseOnRights(error: unknown): string {
  const { code } = error as pg.DatabaseError
  // SQLSTATE 42501, insufficient_privilege; 42P06, duplicate_schema
  if (code === '42501')
    return '\n  The role of DATABASE_URL needs CREATEROLE, and has to own the database or may create schemas in it.'
  return code === '42P06'
    ? '\n  There is a part of a Pie on this database, as of a dump that was half restored: restore it into an empty one.'
    : ''
}

/** @throws OperatorError for a file that would end the transaction it runs in, and so keep half of itself */
function checkNoTransaction({ name, sql, file }: Migration): void {
  const start = splitStatements(sql).find((at) =>
    /^(begin(?!\s+atomic)|start\s+transaction|commit|end|rollback(?!\s+to)|abort|prepare\s+transaction)\b/i.test(
      sql.slice(at),
    ),
  )
  if (start === undefined) return
  throw new OperatorError(
    `The migration ${name} runs in a transaction of its own, and may not begin or end one. Nothing was run.\n  ${file}:${sql.slice(0, start).split('\n').length}`,
  )
}
