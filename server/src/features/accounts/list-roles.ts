import type pg from 'pg'

export interface ListedRole {
  name: string
  description: string
  permissions: string[]
  /** How many users have it. */
  users: number
}

/** Every role, by name. */
export async function listRoles(owner: pg.Client): Promise<ListedRole[]> {
  const { rows } = await owner.query<ListedRole>(
    `select roles.name, roles.description,
       array(
         select role_permissions.permission from pie_schema.role_permissions
         where role_permissions.role = roles.name order by 1
       ) as permissions,
       (select count(*)::integer from pie_schema.user_roles where user_roles.role = roles.name) as users
     from pie_schema.roles order by roles.name`,
  )
  return rows
}
