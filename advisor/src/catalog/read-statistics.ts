import type { SequenceState } from './catalog.ts'
import type { Reading } from './reading.ts'

/** Of those that may be looked at, and have been asked for a number. */
export async function readSequences({ ask }: Reading): Promise<Map<number, SequenceState>> {
  const rows = await ask<{ oid: number } & SequenceState>(`
    select oid, last, most from (
      select seqrelid::oid as oid, seqmax::float8 as most, case
        when has_sequence_privilege(seqrelid, 'select, usage') then pg_sequence_last_value(seqrelid)
      end::float8 as last
      from pg_sequence
      join pg_class on pg_class.oid = seqrelid and relpersistence = 'p'
      where seqincrement > 0 and not seqcycle
    ) as sequence where last is not null`)
  return new Map(rows.map(({ oid, ...state }) => [oid, state]))
}

/** What a crash loses is counted from then on, and so is what somebody has reset. */
export async function readStatisticsSince({ ask }: Reading): Promise<Date | null> {
  const [row] = await ask<{ since: Date | null }>(`
    select case when not pg_is_in_recovery() and current_setting('track_counts')::boolean then
      greatest(pg_stat_get_db_stat_reset_time(pg_database.oid), pg_stat_get_bgwriter_stat_reset_time())
    end as since
    from pg_database where datname = current_database()`)
  return row?.since ?? null
}
