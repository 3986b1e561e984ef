import pg from 'pg'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { startOtherPostgres } from '../../test/harness/other-postgres.ts'

/**
 * Starts the Postgres 15 that npm has brought, with its default, durable settings and an empty database.
 *
 * @returns where its owner connects
 */
export async function startPostgres15(
  onStarted: (stop: () => Promise<void>) => void,
): Promise<{ ownerUrl: Secret; stop(): Promise<void> }> {
  const binaries = `postgres-15-${process.platform}-${process.arch}`
  const server = await startOtherPostgres(binaries, 'postgres', { fsync: 'on' })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= server.stop()
    return stopped
  }
  onStarted(stop)
  const superuser = new pg.Client({ connectionString: server.url.href })
  await superuser.connect()
  await superuser.query('create database pie_db')
  await superuser.end()
  const url = new URL(server.url)
  url.pathname = '/pie_db'
  return { ownerUrl: Secret.fromText(url.href), stop }
}
