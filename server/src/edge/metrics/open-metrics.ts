/** Puts together what a node tells of itself, a file per subject. */
import {
  createDatabaseMeasurer,
  type MeasuredDatabase,
} from '../../features/operations/measure-database.ts'
import { sampleRevocationDelay } from '../../features/operations/sample-revocation-delay.ts'
import type { Secret } from '../../ground/crypto/secret.ts'
import type { Pie } from '../http/pie.ts'
import { describeCache } from './cache.ts'
import { describeConnections } from './connections.ts'
import { describeDatabase } from './database.ts'
import { createInstruments } from './instruments.ts'
import type { Metrics } from './metrics.ts'
import { describePasswords } from './passwords.ts'
import { describeProcess } from './process.ts'
import { createRequestCounts } from './request-counts.ts'
import { describeRequests } from './requests.ts'
import { shareForAWhile } from './share-for-a-while.ts'

export function openMetrics(
  pie: Pie,
  { token, version }: { token: Secret | null; version: string },
): { metrics: Metrics; close(): void } {
  const { registry, instruments } = createInstruments()
  const requests = createRequestCounts()
  const measureDatabase = createDatabaseMeasurer(pie)
  let measured: MeasuredDatabase = { migrations: null, liveSessions: null }

  describeRequests(instruments, requests)
  describeConnections(instruments, pie)
  describeCache(instruments, pie, sampleRevocationDelay(pie, pie.heard))
  describePasswords(instruments, pie)
  describeDatabase(instruments, pie, () => measured)
  const close = describeProcess(instruments, version)

  const metrics: Metrics = {
    requests,
    token,
    contentType: registry.contentType,
    text: shareForAWhile(async () => {
      measured = await measureDatabase()
      return registry.metrics()
    }),
  }
  return { metrics, close }
}
