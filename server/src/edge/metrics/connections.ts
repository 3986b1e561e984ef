import type { Database } from '../../ground/database/pool.ts'
import type { Ground } from '../../ground/ground.ts'
import type { Instruments, Reading } from './instruments.ts'

export function describeConnections(
  { gauge, histogram }: Instruments,
  { auth, requests }: Pick<Ground, 'auth' | 'requests'>,
): void {
  const ofEach = <Value>(read: (database: Database) => Value): Reading<Value>[] => [
    { labels: { pool: 'auth' }, value: read(auth) },
    { labels: { pool: 'requests' }, value: read(requests) },
  ]
  const labelNames = ['pool']
  gauge({
    name: 'pie_database_connections',
    help: 'Connections that are open, by pool: of pie_auth ("auth"), or of cream ("requests").',
    labelNames,
    read: () => ofEach(({ pool }) => pool.totalCount),
  })
  gauge({
    name: 'pie_database_connections_max',
    help: 'How many there may be: DATABASE_CONNECTIONS.',
    labelNames,
    read: () => ofEach(({ pool }) => pool.options.max),
  })
  gauge({
    name: 'pie_database_connections_idle',
    help: 'Open connections that nobody uses now.',
    labelNames,
    read: () => ofEach(({ pool }) => pool.idleCount),
  })
  gauge({
    name: 'pie_database_connections_awaited',
    help: 'How many wait for a connection now.',
    labelNames,
    read: () => ofEach(({ pool }) => pool.waitingCount),
  })
  histogram({
    name: 'pie_database_connection_wait_seconds',
    help: 'How long was waited for a connection, also where none came.',
    read: () => ofEach(({ waits }) => waits.read()),
  })
}
