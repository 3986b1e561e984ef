/** How large it is. Views, functions, triggers and rules come with the tables. */
export interface SchemaSize {
  tables: number
  policies: number
  /** Rights of one role on one table or one column, however many privileges. */
  grants: number
  roles: number
}

export const SCHEMAS = 10
/** Roles that policies are for, and of which others are members. */
export const GROUPS = 10

export const schemaOf = (table: number): string => `bench_${table % SCHEMAS}`
export const roleOf = (number: number): string => `bench_role_${number}`
