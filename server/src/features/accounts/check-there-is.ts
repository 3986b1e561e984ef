import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'

const names = {
  role: 'select name from pie_schema.roles order by name',
  permission: 'select name from pie_schema.permissions order by name',
}

/** @throws OperatorError when there is no role or permission of this name; it says which there are */
export async function checkThereIs(
  owner: pg.Client,
  kind: keyof typeof names,
  name: string,
): Promise<void> {
  const { rows } = await owner.query<{ name: string }>(names[kind])
  if (rows.some((known) => known.name === name)) return
  const known = rows.map((row) => row.name).join(', ')
  throw new OperatorError(`There is no ${kind} ${name}. There are: ${known || 'none'}.`)
}
