import type { MeasuredDatabase } from '../../features/operations/measure-database.ts'
import type { Pie } from '../http/pie.ts'
import type { Instruments } from './instruments.ts'

/** @param measured what has just been asked for */
export function describeDatabase(
  { gauge }: Instruments,
  { health }: Pick<Pie, 'health'>,
  measured: () => MeasuredDatabase,
): void {
  gauge({
    name: 'pie_database_up',
    help: 'Whether Postgres answered when these metrics were asked for, within two seconds. Where it did not, what it would have said is not here.',
    read: () => (measured().migrations === null ? 0 : 1),
  })
  gauge({
    name: 'pie_sessions_live',
    help: 'Sessions that may act, of all nodes: counted, or, of many, estimated from a thousand pages of them; at most a minute old.',
    read: () => measured().liveSessions ?? [],
  })
  gauge({
    name: 'pie_migrations',
    help: 'Pie’s migrations: those that the database has had ("applied"), and those of this version that it has not ("pending").',
    labelNames: ['state'],
    read: () =>
      Object.entries(measured().migrations ?? {}).map(([state, value]) => ({
        labels: { state },
        value,
      })),
  })
  gauge({
    name: 'pie_doctor_findings',
    help: 'What this node found when it last looked at the database, which it does every hour, by weight: "opens", "hinders" or "tells".',
    labelNames: ['weight'],
    read: () =>
      ['opens', 'hinders', 'tells'].map((weight) => ({
        labels: { weight },
        value: health.findings().filter((finding) => finding.weight === weight).length,
      })),
  })
  gauge({
    name: 'pie_doctor_checked_timestamp_seconds',
    help: 'When it last looked.',
    read: () => health.checkedAt().getTime() / 1000,
  })
}
