import type pg from 'pg'

export interface ListedPermission {
  name: string
  description: string
  /** Which roles have it. */
  roles: string[]
}

/** Every permission, by name. */
export async function listPermissions(owner: pg.Client): Promise<ListedPermission[]> {
  const { rows } = await owner.query<ListedPermission>(
    `select permissions.name, permissions.description,
       array(
         select role_permissions.role from pie_schema.role_permissions
         where role_permissions.permission = permissions.name order by 1
       ) as roles
     from pie_schema.permissions order by permissions.name`,
  )
  return rows
}
