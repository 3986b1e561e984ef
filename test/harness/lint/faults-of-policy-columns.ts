import { soundFunction, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const mine = soundFunction(
  '{mine}()',
  `returns integer language sql stable as $$ select current_setting('x.y', true)::integer $$`,
)
export const faultsOfPolicyColumns: PlantedFault[] = [
  {
    rule: 'policy-column-without-index',
    object: 'column {s}.{sought}.{owner_id}',
    sql: `${mine} ${soundTable('sought', ', {owner_id} integer, {kind} varchar(9)')}
      create policy {sought_own} on {s}.{sought} to webuser
        using ((select {s}.{mine}()) = {owner_id} and {kind} = 'own');`,
  },
  {
    rule: 'policy-column-without-index',
    object: 'column {s}.{looked_up}.{reader_id}',
    sql: `${soundTable('looked_up', ', {reader_id} integer')} ${soundTable('looking_up')}
      create policy {looking_up_own} on {s}.{looking_up} to webuser using (exists (
        select from {s}.{looked_up} as l where l.{reader_id} = {looking_up}.{id}
      ));`,
  },
]
