import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeDescription } from './normalize-description.ts'

/** As in `pie_schema.roles`. */
const roleName = /^[a-z][a-z0-9_-]{0,62}$/

/**
 * Makes a role that nobody has yet, as the operator.
 * @throws OperatorError when there is one already, or it cannot be called so; Refusal `invalid_request`
 */
export async function createRole(
  owner: pg.Client,
  { name, description: given }: { name: string; description: string },
): Promise<{ role: string; description: string }> {
  if (!roleName.test(name)) {
    throw new OperatorError(
      'A role is called something like editor: a lower-case letter, then lower-case letters, digits, - and _, 63 at most.',
    )
  }
  const description = normalizeDescription(given)
  const { rows } = await owner.query<{ is_new: boolean }>(
    'select pie_private.create_role($1, $2) as is_new',
    [name, description],
  )
  if (rows[0]?.is_new !== true) throw new OperatorError(`There is a role ${name} already.`)
  return { role: name, description }
}
