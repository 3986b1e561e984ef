import {
  checkSameDatabase,
  type DatabaseIdentity,
  identify,
} from '../ground/database/database-identity.ts'
import { detectPoolMode } from '../ground/database/detect-pool-mode.ts'
import { createLineage, type Lineage } from '../ground/database/lineage.ts'
import { openDatabase } from '../ground/database/pool.ts'
import { openSharedConnections, readThroughPooler } from '../ground/database/shared-connections.ts'
import type { Ground } from '../ground/ground.ts'
import type { Log } from '../ground/log.ts'
import type { Closing } from './closing.ts'
import type { LoginUrls } from './find-logins.ts'

/**
 * Connects as the two login roles.
 * @param most how many connections each opens at most
 * @throws OperatorError when a role cannot connect, or the two connect to two databases
 */
export async function openConnections(
  urls: LoginUrls,
  most: number,
  log: Log,
  closing: Closing,
): Promise<Pick<Ground, 'auth' | 'requests' | 'reads'> & { lineage: Lineage }> {
  const lineage = createLineage()
  lineage.onNewer(() =>
    log.warn(
      { host: lineage.host() },
      'another primary was promoted; the connections to the older are given up',
    ),
  )
  const authMode = await detectPoolMode(urls.auth, 'AUTH_DATABASE_URL')
  const auth = openDatabase(urls.auth, log, {
    connections: most,
    poolMode: authMode,
    runs: 'own',
    lineage,
  })
  closing.add(() => auth.pool.end())
  const requestMode = await detectPoolMode(urls.requests, 'REQUEST_DATABASE_URL')
  const requests = openDatabase(urls.requests, log, {
    connections: most,
    poolMode: requestMode,
    lineage,
  })
  closing.add(() => requests.pool.end())
  const [[[ofAuth] = []], [[ofRequests] = []]] = (await Promise.all([
    auth.send(identify),
    requests.send(identify),
  ])) as [[DatabaseIdentity[]], [DatabaseIdentity[]]]
  if (ofAuth !== undefined && ofRequests !== undefined)
    checkSameDatabase({ AUTH_DATABASE_URL: ofAuth, REQUEST_DATABASE_URL: ofRequests })
  const reads =
    requestMode === 'transaction'
      ? readThroughPooler(requests)
      : openSharedConnections(urls.requests, log, lineage)
  closing.add(() => reads.close())
  return { auth, requests, reads, lineage }
}
