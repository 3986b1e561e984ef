import { roleOf, type SchemaSize } from './large-schema.ts'
import { nameOf } from './large-schema-tables.ts'

const me = '(select bench_base.current_user_id())'

/** Policies of the forms that people write, soundly; `{t}` is the table. */
const policies = [
  `for select to {roles} using (owner_id = ${me})`,
  `for select to {roles} using (exists (select from bench_base.memberships as m where m.team_id = {t}.team_id and m.user_id = ${me}))`,
  `as restrictive to {roles} using (not is_archived)`,
  `for insert to {roles} with check (owner_id = ${me} and visibility <> 'everybody')`,
  `for update to {roles} using (owner_id = ${me}) with check (owner_id = ${me})`,
  `for delete to {roles} using (owner_id = ${me} and created_at > now() - interval '1 day')`,
  `for select to {roles} using (visibility = 'everybody' or visibility = any (array['team']::bench_base.visibility[])
     and team_id in (select bench_base.team_ids()))`,
  `to {roles} using (case when is_archived then owner_id = ${me} else team_id = any (array(
     select m.team_id from bench_base.memberships as m join bench_base.teams as t on t.id = m.team_id
     where m.user_id = ${me} and m.role in ('owner', 'editor'))) end)`,
] as const

const privileges = ['select', 'select, insert', 'select, update, delete', 'select'] as const
const columns = ['title', 'details', 'visibility', 'team_id', 'is_archived'] as const

/** The policies of a table, and its share of the grants: two fifths on the table, three fifths on columns. */
export function accessOf(table: number, size: SchemaSize): string {
  const name = nameOf(table)
  const role = (shift: number) => roleOf((table * 7 + shift * 13) % size.roles)
  const share = (all: number) =>
    Math.floor(((table + 1) * all) / size.tables) - Math.floor((table * all) / size.tables)
  const grants = share(size.grants)
  return [
    `alter table ${name} enable row level security;`,
    ...Array.from({ length: share(size.policies) }, (_, number) => {
      const rolesOf = Array.from({ length: 1 + ((table + number) % 5) }, (_, shift) => role(shift))
      const form = policies[(table + number) % policies.length] ?? ''
      const written = form
        .replace('{roles}', [...new Set(rolesOf)].join(', '))
        .replaceAll('{t}', name)
      return `create policy "policy ${number} of ${table}" on ${name} ${written};`
    }),
    ...Array.from({ length: grants }, (_, number) =>
      number % 5 < 2
        ? `grant ${privileges[number % privileges.length]} on ${name} to ${role(number)};`
        : `grant insert (${columns[number % columns.length]}), update (${columns[number % columns.length]}) on ${name} to ${role(number)};`,
    ),
  ].join('\n')
}
