import { chmod } from 'node:fs/promises'
import type pg from 'pg'
import { checkOwnerSeesAllRows } from './check-owner-sees-all-rows.ts'
import { type ClientProgram, findClientProgram } from './find-client-program.ts'
import { runClientProgram } from './run-client-program.ts'

/**
 * Writes all of the database that a client is connected to into a file, as pg_dump's custom format has
 * it. Returns the program that did.
 *
 * @param snapshot the state of the database that is dumped
 * @param path where to look for pg_dump
 * @throws OperatorError when there is no pg_dump, it fails, or would leave rows out
 */
export async function dumpDatabase(
  owner: pg.Client,
  { snapshot, file, path }: { snapshot: string; file: string; path: string },
): Promise<ClientProgram> {
  const program = await findClientProgram('pg_dump', await readMajor(owner), path)
  const isGuarded = await checkOwnerSeesAllRows(owner)
  await runClientProgram(owner, program, [
    '--format=custom',
    `--snapshot=${snapshot}`,
    `--file=${file}`,
    // Without it, pg_dump refuses tables whose policies apply to it, whatever they say.
    ...(isGuarded ? ['--enable-row-security'] : []),
  ])
  await chmod(file, 0o600)
  return program
}

/** The major version of the server. */
export async function readMajor(owner: pg.Client): Promise<number> {
  const { rows } = await owner.query<{ version: string }>(
    `select current_setting('server_version_num') as version`,
  )
  return Math.floor(Number(rows[0]?.version) / 10_000)
}
