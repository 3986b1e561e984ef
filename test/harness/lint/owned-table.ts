import { soundTable } from './names.ts'

/** Who asks, as policies of an application on Pie say it. */
export const me = '(select pie_schema.current_user_id())'

/** A table whose rows have owners, with rights on it and no policy but its owner's. */
export function ownedTable(name: string, columns = '', rights = 'select'): string {
  return `${soundTable(
    name,
    `, {owner_id} uuid not null references pie_schema.users on delete cascade, {body} text,
    {is_open} boolean not null default false${columns}`,
  )}
    create index on {s}.{${name}} ({owner_id});
    ${rights
      .split(';')
      .map((right) => `grant ${right} on {s}.{${name}} to webuser;`)
      .join('\n')}`
}

/** What whoever may write may write of it. */
export const writing = 'insert ({id}, {owner_id}, {body});update ({owner_id}, {body});delete'
