import { GROUPS, roleOf, type SchemaSize } from './large-schema-size.ts'
import { nameOf, shapeOf } from './large-schema-tables.ts'

const me = '(select bench_base.current_user_id())'
const isMember = `exists (select from bench_base.memberships as m where m.team_id = {t}.team_id and m.user_id = ${me})`

/** What people write for each command, soundly; `{t}` is the table. */
const forms = {
  select: [
    `using (owner_id = ${me})`,
    `using (${isMember})`,
    `using (visibility = 'everybody' or visibility = any (array['team']::bench_base.visibility[])
       and team_id in (select bench_base.team_ids()))`,
    `using (case when is_archived then owner_id = ${me} else team_id = any (array(
       select m.team_id from bench_base.memberships as m join bench_base.teams as t on t.id = m.team_id
       where m.user_id = ${me} and m.role in ('owner', 'editor'))) end)`,
  ],
  insert: [
    `with check (owner_id = ${me} and visibility <> 'everybody')`,
    `with check (owner_id = ${me} and team_id in (select bench_base.team_ids()))`,
  ],
  update: [
    `using (owner_id = ${me}) with check (owner_id = ${me})`,
    `using (owner_id = ${me} or ${isMember}) with check (owner_id = ${me} or ${isMember})`,
  ],
  delete: [
    `using (owner_id = ${me} and created_at > now() - interval '1 day')`,
    `using (owner_id = ${me} and not is_archived)`,
  ],
} as const

const commands = ['select', 'insert', 'update', 'delete'] as const
const columns = ['title', 'details', 'visibility', 'team_id', 'is_archived'] as const

/** The policies of a table, and its share of the grants: two fifths on the table, three fifths on columns. */
export function accessOf(table: number, size: SchemaSize): string {
  const name = nameOf(table)
  const share = (all: number) =>
    Math.floor(((table + 1) * all) / size.tables) - Math.floor((table * all) / size.tables)
  const grants = share(size.grants)
  const groups = groupsOf(table).map(roleOf).join(', ')
  return [
    `alter table ${name} enable row level security;`,
    ...Array.from({ length: share(size.policies) }, (_, number) => {
      const command = commands[number % commands.length] ?? 'select'
      const form = forms[command][(table + number) % forms[command].length] ?? ''
      const isRestrictive = number >= commands.length
      const written = isRestrictive ? 'using (not is_archived)' : form.replaceAll('{t}', name)
      return `create policy "policy ${number} of ${table}" on ${name} ${isRestrictive ? 'as restrictive ' : ''}for ${isRestrictive ? 'select' : command} to ${groups} ${written};`
    }),
    ...Array.from({ length: grants }, (_, number) =>
      number % 5 < 2
        ? `grant select${number % 3 === 0 ? ', delete' : ''} on ${name} to ${granteeOf(table, number, size)};`
        : grantOnColumn(name, table, number, size),
    ),
    ...(shapeOf(table) === 'plain' && table % 20 === 7 ? [faultsOf(table, name, size)] : []),
  ].join('\n')
}

const grantOnColumn = (name: string, table: number, number: number, size: SchemaSize): string => {
  const column = columns[number % columns.length]
  // To those who may read: numbers that are 0 or 1 of each five.
  const reader = number - (number % 5) + (number % 2)
  return `grant insert (${column}), update (${column}) on ${name} to ${granteeOf(table, reader, size)};`
}

/** Three groups for each table: its policies are to them. */
const groupsOf = (table: number): number[] => [0, 3, 7].map((shift) => (table + shift) % GROUPS)

/** A role that inherits from one of the table's groups. */
function granteeOf(table: number, number: number, { roles }: SchemaSize): string {
  const group = groupsOf(table)[number % 3] ?? 0
  const rest = Math.max(1, Math.floor(roles / GROUPS) - 1)
  const candidates = [0, 1, 2].map(
    (shift) => GROUPS * (1 + ((table * 7 + number + shift) % rest)) + group,
  )
  return roleOf(candidates.find((role) => role % 3 !== 1 && role < roles) ?? group)
}

/** One table in twenty has something to be found. */
const faultsOf = (table: number, name: string, size: SchemaSize): string =>
  table % 40 === 7
    ? `create policy "open ${table}" on ${name} for update to ${roleOf(table % GROUPS)} using (true);`
    : `grant truncate, update on ${name} to ${granteeOf(table, 1, size)};
       create policy "per row ${table}" on ${name} for select to ${roleOf(table % GROUPS)} using (owner_id = bench_base.current_user_id());`
