import { dirname } from 'node:path'
import type pg from 'pg'

/** A migration that a database has had. */
export interface AppliedMigration {
  name: string
  /** SHA-256 of the file when it ran, hexadecimal. */
  checksum: string
}

/** Whose a migration is: of an application's own, the name says it. */
export const setOf = (name: string): string => dirname(name)

/** As the owner reads them; none where there is no Pie on the database. */
export async function readApplied(
  owner: Pick<pg.ClientBase, 'query'>,
): Promise<AppliedMigration[]> {
  if (!(await isPieThere(owner))) return []
  const { rows } = await owner.query<AppliedMigration>(
    'select name, checksum from pie_private.migrations order by name',
  )
  return rows
}

/** Whether this database has Pie on it, of whichever version. */
export async function isPieThere(owner: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await owner.query<{ there: boolean }>(
    `select to_regclass('pie_private.migrations') is not null as there`,
  )
  return rows[0]?.there === true
}
