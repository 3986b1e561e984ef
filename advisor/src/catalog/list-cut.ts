import type { Catalog, Expression } from './catalog.ts'

/** What goes deeper than is read, of all whose trees were asked for, in words. */
export function listCut({ relations, functions }: Catalog): string[] {
  const found: string[] = []
  const look = (of: string, ...expressions: readonly (Expression | null)[]) => {
    if (expressions.some((one) => one?.isCut === true))
      found.push(`what is deepest in ${of}: it is nested too deep to be read`)
  }
  for (const { sql, policies, rules } of relations.values()) {
    for (const { object, using, check } of policies) look(object, using, check)
    for (const rule of rules)
      look(rule.event === 'select' ? `view ${sql}` : `rule ${rule.sql} on ${sql}`, rule.action)
  }
  for (const { kind, sql, sqlBody } of functions.values()) look(`${kind} ${sql}`, sqlBody)
  return found
}
