import type { Durations } from '../../ground/durations.ts'
import type { Pie } from '../http/pie.ts'
import type { Instruments } from './instruments.ts'

export function describeCache(
  { gauge, counter, histogram }: Instruments,
  { sessionCache, shared, trust, heard }: Pick<Pie, 'sessionCache' | 'shared' | 'trust' | 'heard'>,
  delays: Durations,
): void {
  counter({
    name: 'pie_session_reads_total',
    help: 'Sessions looked up, by what answered: this process ("near"), Valkey ("shared"), or Postgres ("read").',
    labelNames: ['tier'],
    read: () => {
      const { hits, sharedHits, reads } = sessionCache.status()
      return Object.entries({ near: hits, shared: sharedHits, read: reads }).map(
        ([tier, value]) => ({ labels: { tier }, value }),
      )
    },
  })
  gauge({
    name: 'pie_session_cache_entries',
    help: 'Sessions that this process keeps: at most NEAR_CACHE_SIZE.',
    read: () => sessionCache.status().entries,
  })
  gauge({
    name: 'pie_shared_cache_up',
    help: 'Whether CACHE_URL answers in time; not there without one.',
    read: () => (shared === null ? [] : [{ value: shared.status().state === 'connected' ? 1 : 0 }]),
  })
  gauge({
    name: 'pie_cache_believed',
    help: 'Whether this node hears of changes, and so answers from its caches; otherwise every check reads Postgres.',
    read: () => (trust.hears() ? 1 : 0),
  })
  gauge({
    name: 'pie_heartbeat_age_seconds',
    help: 'Since the last heartbeat came back through the database; not there before the first.',
    read: () => {
      const silentForMs = heard.silentForMs()
      return silentForMs === null ? [] : silentForMs / 1000
    },
  })
  counter({
    name: 'pie_notices_heard_total',
    help: 'Changes that this node has heard of: of a "session" (mostly revocations), of a "user", or of "everything".',
    labelNames: ['of'],
    read: () => Object.entries(heard.notices()).map(([of, value]) => ({ labels: { of }, value })),
  })
  histogram({
    name: 'pie_revocation_delay_seconds',
    help: 'From the revoking transaction’s beginning to this node’s hearing of it, by the database’s clock; of at most one revocation a second.',
    read: () => delays.read(),
  })
}
