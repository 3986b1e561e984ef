import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { OperatorError } from '../errors.ts'
import { type AppliedMigration, readApplied, setOf } from './applied-migrations.ts'
import { COMPATIBLE, type Migration, PIES_OWN, readMigration, run } from './migrate.ts'

/** The migrations of an application with Pie inside, and the name that they are recorded under. */
export interface ApplicationMigrations {
  application: string
  migrations: Migration[]
}

/** Under which those of every application were recorded before they had names. */
const UNNAMED = 'application'

/**
 * Every file of a directory that ends in `.sql`.
 * @param name of the application; else the one in the package.json above the directory
 * @throws OperatorError when there is none, or one has no number to go by
 */
export async function readApplicationMigrations(
  directory: URL,
  name: string | null = null,
): Promise<ApplicationMigrations> {
  const path = fileURLToPath(directory)
  const application = name ?? findPackageName(path) ?? UNNAMED
  if (!/^(@[\w.-]+\/)?\w[\w.-]*$/.test(application) || [PIES_OWN, COMPATIBLE].includes(application))
    throw new OperatorError(`An application cannot be called ${application}: something like notes.`)
  const files = (await readdir(path).catch(() => [])).filter((file) => file.endsWith('.sql')).sort()
  if (files.length === 0) throw new OperatorError(`There are no migrations in ${path}.`)
  const misnamed = files.find((file) => !/^\d{4}-[\w-]+\.sql$/.test(file))
  if (misnamed !== undefined)
    throw new OperatorError(
      `Migrations run in the order of their numbers: ${misnamed} has to be called something like 0001-notes.sql.`,
    )
  const migrations = await Promise.all(
    files.map((file) => readMigration(join(path, file), `${application}/${file}`)),
  )
  return { application, migrations }
}

function findPackageName(path: string): string | null {
  for (let directory = path; directory !== dirname(directory); directory = dirname(directory)) {
    const file = join(directory, 'package.json')
    if (!existsSync(file)) continue
    try {
      const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }
      return typeof name === 'string' && name !== '' ? name : null
    } catch {
      return null
    }
  }
  return null
}

/**
 * Runs those that this database has not seen. To be called in turn, after Pie's own.
 * @returns the names of those that ran now
 * @throws OperatorError when one was changed after it had run, or the database has newer ones
 */
export async function migrateApplication(
  owner: pg.Client,
  own: ApplicationMigrations,
): Promise<string[]> {
  const pending = pendingOfApplication(own, await readApplied(owner))
  for (const migration of pending) await run(owner, migration)
  return pending.map(({ name }) => name)
}

/** A file that has run when applications had no names has run. */
export function pendingOfApplication(
  { application, migrations }: ApplicationMigrations,
  applied: readonly AppliedMigration[],
): Migration[] {
  const had = (migration: Migration) => {
    const own = applied.find(({ name }) => name === migration.name)
    const unnamed = `${UNNAMED}/${basename(migration.name)}`
    return own === undefined
      ? applied.some(({ name, checksum }) => name === unnamed && checksum === migration.checksum)
      : own.checksum === migration.checksum
  }
  for (const { name } of applied.filter((one) => setOf(one.name) === application)) {
    const known = migrations.find((migration) => migration.name === name)
    if (known === undefined)
      throw new OperatorError(
        `The database has had the migration ${name}, which this version of the application does not know. It was migrated ` +
          `by a newer one: run that. Or another application is called ${application} too: give this one a name of its own, ` +
          `{ application: '…' } beside its migrations.`,
      )
    if (!had(known))
      throw new OperatorError(
        `The migration ${name} is not the one that this database has had. One that has run is never changed: restore the ` +
          'file, and write a new one for the change. While nothing is lost by it, on a database that is empty or for ' +
          `development, start over: pie migrate --redo ${application} drops what its migrations have made, and they run ` +
          'again at the next start.',
      )
  }
  return migrations.filter((migration) => !had(migration))
}
