import { commented } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

export const faultsOfViews: PlantedFault[] = [
  {
    rule: 'foreign-table-granted',
    object: 'grant to webuser on foreign table {s}.{far}',
    sql: `${commented('foreign table', 'far', '({id} integer) server nowhere')}
      grant select on {s}.{far} to webuser;`,
  },
  {
    rule: 'materialized-view-granted',
    object: 'grant to webuser on materialized view {s}.{kept}',
    sql: `${commented('materialized view', 'kept', 'as select 1 as {id}')}
      grant select on {s}.{kept} to webuser;`,
  },
  {
    rule: 'view-not-security-invoker',
    object: 'view {s}.{seen}',
    sql: commented(
      'view',
      'seen',
      'with (security_invoker = off, security_barrier) as select 1 as {id}',
    ),
  },
]
