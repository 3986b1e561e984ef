import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Secret } from '../crypto/secret.ts'
import { scramVerifier } from '../database/scram-verifier.ts'
import { OperatorError } from '../errors.ts'
import { startProgram } from '../run-program.ts'
import type { Cluster } from './create-cluster.ts'

/**
 * Sets the password of a cluster's owner where nobody knows the one that it has: through Postgres's
 * single-user mode, which asks for none and listens nowhere. What a crash or a backup has left to be
 * recovered is recovered by it, and flushed to disk.
 */
export async function setOwnerPassword(cluster: Cluster, password: Secret): Promise<void> {
  const [command, args] = cluster.unprivileged.wrap(cluster.binaries.postgres, [
    '--single',
    ...['-D', cluster.dataDirectory, '-c', 'allow_in_place_tablespaces=on'],
    'postgres',
  ])
  const child = startProgram(command, args, {
    ...cluster.unprivileged.identity,
    cwd: cluster.directory,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  // A server that does not start reads nothing: why, it says itself.
  child.stdin?.on('error', () => {})
  child.stdin?.end(`alter role postgres password '${scramVerifier(password)}'\n`)
  const said = await text(child.stderr as Readable)
  // What is wrong with a statement is no reason for it to end in anything but 0.
  if ((await exited) === 0 && !/ERROR: |FATAL: |PANIC: /.test(said)) return
  throw new OperatorError(
    `Postgres did not recover from the backup: ${said.trim().split('\n').slice(-3).join(' · ')}`,
  )
}
