import type { Catalog, Relation, Routine } from '../catalog/catalog.ts'

/**
 * The names in what decides who reaches what: in policies and views, in rules, in functions that have rights of their own or that
 * writing sets off, and in the functions that those name. What is not among them changes nobody's reach by its own body.
 *
 * Words are taken from texts, more of them than name anything: what is missed would be a hole.
 */
export function wordsThatDecide(
  catalog: Catalog,
  views: ReadonlyMap<number, string>,
): ReadonlySet<string> {
  const words = new Set<string>()
  const relations = ours(catalog.relations)
  const functions = ours(catalog.functions)
  const byName = Map.groupBy(functions, ({ name }) => name.toLowerCase())
  const read = (text: string | null | undefined) => {
    for (const [word] of (text ?? '').matchAll(/"(?:[^"]|"")+"|[\w$\u0080-\uffff]+/g)) {
      const name = (
        word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word
      ).toLowerCase()
      if (words.has(name)) continue
      words.add(name)
      for (const called of byName.get(name) ?? []) readBody(called)
    }
  }
  const readBody = ({ source, sqlBody }: Routine) => read(sqlBody?.text ?? source)
  for (const { policies, rules, triggers, oid } of relations) {
    for (const { using, check } of policies) for (const part of [using, check]) read(part?.text)
    for (const { action, event } of rules) if (event !== 'select') read(action.text)
    read(views.get(oid))
    for (const { function: called } of triggers) read(catalog.functions.get(called)?.name)
  }
  for (const routine of functions) if (routine.isSecurityDefiner) readBody(routine)
  return words
}

const ours = <One extends Relation | Routine>(all: ReadonlyMap<number, One>): One[] =>
  [...all.values()].filter(({ schema }) => !schema.isOfPostgres)
