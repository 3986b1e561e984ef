import { commented, sharedTable, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

/** A table of everybody's own rows, and a view of it. */
const viewOf = (name: string, making: string, grants: string) => `
  ${sharedTable(`below_${name}`)}
  ${commented('view', name, making.replaceAll('{t}', `{s}.{below_${name}}`))}
  ${grants.replaceAll('{v}', `{s}.{${name}}`)}`

const invoker = (name: string): { rule: string; object: string } => ({
  rule: 'view-not-security-invoker',
  object: `view {s}.{${name}}`,
})

export const faultsOfViews: PlantedFault[] = [
  {
    rule: 'foreign-table-granted',
    object: 'grant to webuser on foreign table {s}.{far}',
    sql: `${commented('foreign table', 'far', '({id} integer) server nowhere')}
      grant select on {s}.{far} to webuser;`,
  },
  {
    rule: 'foreign-table-granted',
    object: 'grant to webadmin on foreign table {s}.{far_of_column}',
    sql: `${commented('foreign table', 'far_of_column', '({id} integer) server nowhere')}
      grant select on {s}.{far_of_column} to webadmin;`,
  },
  {
    rule: 'foreign-table-granted',
    object: 'grant to webuser on foreign table {s}.{far_written}',
    weight: 'hole',
    sql: `${commented('foreign table', 'far_written', '({id} integer) server nowhere')}
      grant select, delete on {s}.{far_written} to webuser;`,
  },
  {
    rule: 'materialized-view-granted',
    object: 'grant to webuser on materialized view {s}.{kept}',
    weight: 'style',
    sql: `${commented('materialized view', 'kept', 'as select 1 as {id}')}
      grant select on {s}.{kept} to webuser;`,
  },
  {
    rule: 'materialized-view-granted',
    object: 'grant to webuser on materialized view {s}.{kept_notes}',
    sql: `${sharedTable('below_kept')}
      ${commented('materialized view', 'kept_notes', 'as select {id} from {s}.{below_kept}')}
      grant select on {s}.{kept_notes} to webuser;`,
  },
  {
    rule: 'materialized-view-granted',
    object: 'grant to webadmin on materialized view {s}.{kept_counts}',
    sql: `${sharedTable('below_counts')}
      ${commented('view', 'between', 'with (security_invoker = true) as select {id} from {s}.{below_counts}')}
      ${commented('materialized view', 'kept_counts', 'as select count(*) as {id} from {s}.{between}')}
      grant select on {s}.{kept_counts} to webadmin;`,
  },
  {
    ...invoker('seen'),
    weight: 'style',
    sql: commented(
      'view',
      'seen',
      'with (security_invoker = off, security_barrier) as select 1 as {id}',
    ),
  },
  {
    ...invoker('seen_by_nobody'),
    weight: 'style',
    sql: viewOf('seen_by_nobody', 'as select {id} from {t}', ''),
  },
  {
    ...invoker('seen_past'),
    sql: viewOf('seen_past', 'as select {id} from {t}', 'grant select on {v} to webuser;'),
  },
  {
    ...invoker('seen_counted'),
    sql: viewOf(
      'seen_counted',
      'as select count(*) as {id} from {t} where {id} > 3',
      'grant select on {v} to webadmin;',
    ),
  },
  {
    ...invoker('seen_through'),
    sql: `${viewOf('beneath', 'with (security_invoker = yes) as select {id} from {t}', 'grant select on {v} to webuser;')}
      ${commented('view', 'seen_through', 'as with {w} as (select {id} from {s}.{beneath}) select {id} from {w}')}
      grant select ({id}) on {s}.{seen_through} to webuser;`,
    also: [
      {
        rule: 'select-lists-columns',
        object: 'grant to webuser on view {s}.{seen_through}',
      },
    ],
  },
  {
    ...invoker('written_through'),
    weight: 'hole',
    sql: viewOf(
      'written_through',
      'as select {id}, {body} from {t}',
      `
      comment on column {v}.{body} is 'A column.'; grant select, insert ({body}), update ({body}) on {v} to webuser;`,
    ),
  },
  // Of one whose rows are somebody's, it shows everybody's.
  {
    ...invoker('report'),
    isByHand: true,
    sql: `${soundTable('reported')} ${commented('view', 'report', 'as select {id} from {s}.{reported}')}
      grant select on {s}.{report} to webadmin;`,
  },
  // They see all of it anyway.
  {
    rule: 'materialized-view-granted',
    object: 'grant to webuser on materialized view {s}.{kept_open}',
    weight: 'style',
    sql: `${soundTable('open_to_all')}
      create policy {open_seen} on {s}.{open_to_all} for select to webuser using (true);
      grant select on {s}.{open_to_all} to webuser;
      ${commented('materialized view', 'kept_open', 'as select count(*) as {id} from {s}.{open_to_all}')}
      grant select on {s}.{kept_open} to webuser;`,
  },
  {
    rule: 'view-filters-without-barrier',
    object: 'view {s}.{filtered}',
    sql: viewOf(
      'filtered',
      `as select {id} from {t} where {body} = 'open'`,
      'grant select on {v} to webuser;',
    ),
    also: [invoker('filtered')],
  },
  {
    rule: 'view-filters-without-barrier',
    object: 'view {s}.{filtered_joined}',
    sql: viewOf(
      'filtered_joined',
      `with (security_barrier = false) as select {one}.{id} from {t} as {one} join {t} as {two} using ({id}) where {two}.{body} <> ''`,
      'grant select on {v} to webadmin;',
    ),
    also: [invoker('filtered_joined')],
  },
  {
    rule: 'view-filters-without-barrier',
    object: 'view {s}.{filtered_of_columns}',
    sql: viewOf(
      'filtered_of_columns',
      'as select {id} from {t} where {id} % 2 = 0',
      'grant select on {v} to webuser;',
    ),
    also: [invoker('filtered_of_columns')],
  },
  ...['insert ({body})', 'update ({body})', 'insert ({id}), update ({id})'].map((grant, place) => ({
    rule: 'view-written-past-its-filter',
    object: `view {s}.{unchecked_${place}}`,
    sql: viewOf(
      `unchecked_${place}`,
      `with (security_barrier) as select {id}, {body} from {t} where {body} = 'open'`,
      `comment on column {v}.{body} is 'A column.'; grant select, ${grant} on {v} to webuser;`,
    ),
    also: [{ ...invoker(`unchecked_${place}`), weight: 'hole' as const }],
  })),
]
