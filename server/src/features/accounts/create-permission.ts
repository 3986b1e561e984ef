import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeDescription } from './normalize-description.ts'

/** As in `pie_schema.permissions`, which sets no length. */
const permissionName = /^[a-z][a-z0-9_-]{0,62}:[a-z][a-z0-9_-]{0,62}$/

/**
 * Makes a permission that no role has yet, as the operator.
 * @throws OperatorError when there is one already, or it cannot be called so; Refusal `invalid_request`
 */
export async function createPermission(
  owner: pg.Client,
  { name, description: given }: { name: string; description: string },
): Promise<{ permission: string; description: string }> {
  if (!permissionName.test(name)) {
    throw new OperatorError(
      'A permission is called something like notes:write: a subject, a colon and a verb, each a lower-case letter, ' +
        'then lower-case letters, digits, - and _, 63 at most.',
    )
  }
  const description = normalizeDescription(given)
  const { rows } = await owner.query<{ is_new: boolean }>(
    'select pie_private.create_permission($1, $2) as is_new',
    [name, description],
  )
  if (rows[0]?.is_new !== true) throw new OperatorError(`There is a permission ${name} already.`)
  return { permission: name, description }
}
