import type pg from 'pg'
import type { Granted } from './check-grants.ts'
import type { Action, Variant } from './explanation.ts'
import { quoted } from './find-table.ts'
import type { RealStatement, Target } from './statement-for.ts'
import { runStatement } from './try-statement.ts'

/**
 * What API servers and libraries make of a statement that goes through as it is: `returning` reads what was
 * written, and so is bound by the select policies and grants; `on conflict` is, too.
 */
export async function tryVariants(
  client: pg.ClientBase,
  action: Action,
  target: Target,
  granted: Granted,
  statement: RealStatement,
): Promise<Variant[]> {
  const variants: Variant[] = []
  for (const [form, suffix] of formsOf(action, target, granted)) {
    const text = `${statement.text} ${suffix}`
    const run = statement.run === undefined ? {} : { run: `${statement.run} ${suffix}` }
    const { rows, error } = await runStatement(client, { ...statement, ...run, text })
    variants.push({ form, statement: text, rows, error })
  }
  return variants
}

function formsOf(
  action: Action,
  { table, values }: Target,
  granted: Granted,
): [Variant['form'], string][] {
  if (action === 'select') return []
  const returned = granted.readable.length === 0 ? '*' : quoted(granted.readable)
  const forms: [Variant['form'], string][] = [['returning', `returning ${returned}`]]
  const key = table.columns.filter(({ is_key }) => is_key).map(({ name }) => name)
  const given = Object.keys(values?.literals ?? {})
  if (action !== 'insert' || key.length === 0 || !key.every((name) => given.includes(name)))
    return forms
  forms.push(['on conflict do nothing', `on conflict (${quoted(key)}) do nothing`])
  const others = given.filter((name) => !key.includes(name))
  const sets = others.map((name) => `${quoted([name])} = excluded.${quoted([name])}`).join(', ')
  if (others.length > 0)
    forms.push(['on conflict do update', `on conflict (${quoted(key)}) do update set ${sets}`])
  return forms
}
