/** The entry of `pie`: reads the configuration, runs a command, and ends in 0 or in a clear error. */

import pg from 'pg'
import { AdvisorError } from '../../advisor/src/index.ts'
import { backUp } from './composition/back-up.ts'
import { listeningAddress } from './composition/listening-address.ts'
import { readKeys } from './composition/read-keys.ts'
import { restoreBackup } from './composition/restore-backup.ts'
import { lookAsOwner, workAsOwner } from './composition/work-as-owner.ts'
import type { CommandContext } from './edge/cli/command-context.ts'
import { escapeControls } from './edge/cli/print.ts'
import { createProgram } from './edge/cli/program.ts'
import { welcome } from './edge/cli/welcome.ts'
import { signOperatorToken } from './features/operations/operator-token.ts'
import { systemClock } from './ground/clock.ts'
import { OperatorError, Refusal } from './ground/errors.ts'
import { createLog, type Log } from './ground/log.ts'
import { ownPackage } from './ground/own-package.ts'
import { describeSystemError } from './ground/system-error.ts'
import { type RunningPie, startPie } from './server.ts'
import { readEnvironment } from './settings/environment.ts'
import { type Config, readConfig } from './settings/read-config.ts'

/** Runs `pie` with the arguments of this process. Sets the exit code. */
export async function runCommandLine(): Promise<void> {
  const context: CommandContext = {
    version: ownPackage.version,
    serve: (options) => serve(readConfig(readEnvironment()), options),
    asOwner: (work, options) => workAsOwner(readConfig(readEnvironment()), work, options),
    onDatabase: (work) => lookAsOwner(readConfig(readEnvironment(), { isKeyNeeded: false }), work),
    askNode: (path, address) => askNode(readConfig(readEnvironment()), path, address),
    backUp: (directory) => backUp(readConfig(readEnvironment(), { isKeyNeeded: false }), directory),
    restore: (directory, ask) =>
      restoreBackup(readConfig(readEnvironment(), { isKeyNeeded: false }), directory, ask),
  }
  // Whoever reads no further, as head does, has what they wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  try {
    await createProgram(context).parseAsync()
  } catch (error) {
    // A message may hold what somebody else has written.
    const lines = describeFailure(error).split('\n').map(escapeControls)
    process.stderr.write(`pie: ${lines.join('\n')}\n`)
    process.exitCode = 1
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof OperatorError || error instanceof AdvisorError) return error.message
  if (error instanceof Refusal) {
    return (
      error.faults?.map(({ path, message }) => `${path.slice(1)} ${message}`).join(', ') ??
      error.message
    )
  }
  if (error instanceof pg.DatabaseError)
    return `Postgres refused: ${error.message} (${error.code})${adviseOnLibraries(error)}`
  const file = describeSystemError(error)
  if (file !== null) return file
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** How long a node may take to answer a command. */
const ANSWER_WITHIN_MS = 5_000

async function askNode(config: Config, path: string, given: string | null): Promise<unknown> {
  const address = given ?? listeningAddress(config.SOCKET.host, config.SOCKET.port)
  const token = signOperatorToken({ keys: await readKeys(config), clock: systemClock })
  let response: Response
  try {
    response = await fetch(new URL(path, address), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
  } catch (cause) {
    throw new OperatorError(`No node answers at ${address}. Is it running, and is that SOCKET?`, {
      cause,
    })
  }
  if (response.status === 401)
    throw new OperatorError(
      `The node at ${address} has another SECRET_KEY, or another time of day.`,
    )
  if (!response.ok) {
    const { title = '' } = (await response.json().catch(() => ({}))) as { title?: string }
    throw new OperatorError(
      `The node at ${address} answered ${response.status}. ${title && `It says: ${title} `}Its log says why.`,
    )
  }
  return response.json()
}

async function serve(config: Config, { isDevelopment }: { isDevelopment: boolean }): Promise<void> {
  const log = createLog(isDevelopment ? 'debug' : config.LOG_LEVEL, isDevelopment)
  // Asked for before anything is started: a Ctrl-C during the start stops cleanly too.
  const asked = untilAskedToStop()
  const pie = await startPie({ ...config, isDevelopment }, log)
  const { address, origin, dataPlace: data, metricsAddress: metrics } = pie
  log.info({ address, origin, data, ...(metrics !== null && { metrics }) }, 'Pie is running')
  // The log is for programs, and a public origin is for people who know what they do.
  if (process.stdout.isTTY && !config.isProduction) process.stdout.write(welcome(pie))
  const reason = await Promise.race([asked, pie.failed])
  const isFailure = reason !== null
  if (isFailure) log.fatal(reason)
  else log.info('Pie is stopping')
  await stop(pie, log)
  if (isFailure) process.exitCode = 1
  else log.info('Pie has stopped')
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP (a terminal that is closed). More of them (npm passes on its own) change nothing. */
function untilAskedToStop(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(null))
  })
}

/** How long requests in flight may take. Load balancers and supervisors wait 30 seconds or less. */
const STOP_WITHIN_MS = 25_000

async function stop(pie: RunningPie, log: Log): Promise<void> {
  const giveUp = setTimeout(() => {
    log.error('could not stop in time: ending now')
    process.exit(1)
  }, STOP_WITHIN_MS)
  await pie.close()
  clearTimeout(giveUp)
}

/** SQLSTATE 58P01 and 42602: plpgsql cannot be loaded. */
const adviseOnLibraries = ({ code, message }: pg.DatabaseError): string =>
  ['58P01', '42602'].includes(code ?? '') && /dynamic_library_path|plpgsql/.test(message)
    ? '. Has somebody set dynamic_library_path? pie doctor says where; only a superuser can reset it'
    : ''
