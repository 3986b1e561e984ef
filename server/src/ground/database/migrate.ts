import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { OperatorError } from '../errors.ts'
import { withoutDefaultPrivileges } from './without-default-privileges.ts'

export interface Migration {
  /** The file's name: `0001-roles.sql`; of an application's own, `application/0001-notes.sql`. */
  name: string
  sql: string
  /** SHA-256 of the file, hexadecimal. */
  checksum: string
}

const migrationsDirectory = fileURLToPath(
  new URL('../../../../database/migrations/', import.meta.url),
)

/** Whose a migration is: of an application's own, the name says it, and of Pie's nothing. */
const setOf = (name: string): string => dirname(name)
const PIES_OWN = '.'

export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(migrationsDirectory))
    .filter((name) => /^\d{4}-[a-z-]+\.sql$/.test(name))
    .sort()
  return Promise.all(names.map((name) => readMigration(join(migrationsDirectory, name), name)))
}

/**
 * The migrations of an application with Pie inside: every file of a directory that ends in `.sql`.
 * @throws OperatorError when there is none, or one has no number to go by
 */
export async function readApplicationMigrations(directory: URL): Promise<Migration[]> {
  const path = fileURLToPath(directory)
  const files = (await readdir(path).catch(() => [])).filter((name) => name.endsWith('.sql')).sort()
  if (files.length === 0) throw new OperatorError(`There are no migrations in ${path}.`)
  const misnamed = files.find((name) => !/^\d{4}-[\w-]+\.sql$/.test(name))
  if (misnamed !== undefined)
    throw new OperatorError(
      `Migrations run in the order of their numbers: ${misnamed} has to be called something like 0001-notes.sql.`,
    )
  return Promise.all(files.map((name) => readMigration(join(path, name), `application/${name}`)))
}

async function readMigration(path: string, name: string): Promise<Migration> {
  const sql = await readFile(path, 'utf8')
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
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
  return pending.map(({ name }) => name)
}

/** The migrations that `migrate` would run: of Pie's, or of an application's. Changes nothing. */
export async function findPending(owner: pg.Client, migrations: Migration[]): Promise<Migration[]> {
  const set = setOf(migrations[0]?.name ?? '')
  const maker = set === PIES_OWN ? 'Pie' : 'the application'
  const applied = await readApplied(owner, set)
  for (const [name, checksum] of applied) {
    const known = migrations.find((migration) => migration.name === name)
    if (known === undefined) {
      throw new OperatorError(
        `The database has had the migration ${name}, which this version of ${maker} does not know. ` +
          'It was migrated by a newer one: run that.',
      )
    }
    if (known.checksum !== checksum) {
      throw new OperatorError(
        `The migration ${name} is not the one that this database has had. ` +
          'A released migration is never changed: restore the file, and write a new migration for the change.',
      )
    }
  }
  return migrations.filter(({ name }) => !applied.has(name))
}

async function readApplied(owner: pg.Client, set: string): Promise<Map<string, string>> {
  const { rows: there } = await owner.query<{ there: boolean }>(
    `select to_regclass('pie_private.migrations') is not null as there`,
  )
  if (there[0]?.there !== true) return new Map()
  const { rows } = await owner.query<{ name: string; checksum: string }>(
    'select name, checksum from pie_private.migrations order by name',
  )
  return new Map(
    rows.filter(({ name }) => setOf(name) === set).map(({ name, checksum }) => [name, checksum]),
  )
}

async function run(owner: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await owner.query('begin')
  try {
    const work = async () => void (await owner.query(sql))
    // The owner's default privileges are meant for what is the owner's, not for what is Pie's.
    if (setOf(name) === PIES_OWN) await withoutDefaultPrivileges(owner, work)
    else await work()
    await owner.query('insert into pie_private.migrations (name, checksum) values ($1, $2)', [
      name,
      checksum,
    ])
    await owner.query('commit')
    // What a file has set for its own sake, the next does not find.
    await owner.query('reset role; reset all')
  } catch (cause) {
    await owner.query('rollback')
    const { message, hint } = cause as pg.DatabaseError
    throw new OperatorError(
      `The migration ${name} failed, and nothing of it was kept: ${message}${hint ? ` (${hint})` : ''}`,
      { cause },
    )
  }
}
