/** Prints docs/exposure.md: what each role can do in Pie's own schemas, as the migrations leave them. */
import type pg from 'pg'
import { exposureInMarkdown } from '../server/src/edge/cli/exposure-in-markdown.ts'
import { defaultRoles, readExposure } from '../server/src/features/exposure/read-exposure.ts'

const schemas = ['pie_schema', 'pie_private', 'pie_hooks']

export async function printExposure(owner: pg.Client): Promise<string> {
  return exposureInMarkdown(await readExposure(owner, { schemas, roles: defaultRoles }))
}
