/** A user as every door shows it: what `pie_schema.user_descriptions` holds. */
export interface User {
  id: string
  email: string | null
  email_verified: boolean | null
  name: string | null
  roles: string[]
  permissions: string[]
  /** ISO 8601 with a time zone. */
  created_at: string
  updated_at: string
}
