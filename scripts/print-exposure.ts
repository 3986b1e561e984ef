/** Prints docs/exposure.md: what each role can do in Pie's own schemas, as the migrations leave them. */
import type pg from 'pg'
import { exposureInMarkdown, readExposure } from '../advisor/src/index.ts'
import { namesOfPie } from '../server/src/edge/cli/advised.ts'

const schemas = ['pie_schema', 'pie_private', 'pie_hooks']

export async function printExposure(owner: pg.Client): Promise<string> {
  const exposure = await readExposure(owner, { schemas, roles: namesOfPie.shownRoles })
  return exposureInMarkdown(exposure, {
    command: 'pie exposure --markdown',
    note: namesOfPie.note,
  })
}
