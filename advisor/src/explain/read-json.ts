import type pg from 'pg'
import { AdvisorError } from '../errors.ts'

/**
 * The members of a JSON object, each as text. Postgres reads it, so that no number loses a digit.
 * @throws AdvisorError when it is none
 */
export async function readJson(
  owner: pg.ClientBase,
  option: string,
  given: string,
): Promise<Record<string, string | null>> {
  try {
    const value: unknown = JSON.parse(given)
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error(`${given} is none`)
    const { rows } = await owner.query<{ key: string; value: string | null }>(
      'select key, value from jsonb_each_text($1::jsonb)',
      [given],
    )
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
  } catch (cause) {
    throw new AdvisorError(
      `${option} takes a JSON object such as '{"a": 1}': ${(cause as Error).message}.`,
      {
        cause,
      },
    )
  }
}
