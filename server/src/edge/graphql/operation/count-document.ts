import { type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql'
import { Refusal } from '../../../ground/errors.ts'

/** The most of each thing that one document may be written of: checking it takes longer with each. */
const limits: readonly { what: string; most: number; kinds: readonly Kind[] }[] = [
  { what: 'fields', most: 500, kinds: [Kind.FIELD] },
  { what: 'fragments', most: 50, kinds: [Kind.FRAGMENT_DEFINITION] },
  { what: 'spreads of fragments', most: 200, kinds: [Kind.FRAGMENT_SPREAD, Kind.INLINE_FRAGMENT] },
  { what: 'directives', most: 50, kinds: [Kind.DIRECTIVE] },
  { what: 'variables', most: 100, kinds: [Kind.VARIABLE_DEFINITION] },
  { what: 'operations', most: 20, kinds: [Kind.OPERATION_DEFINITION] },
]

/** Each one may be the same field again, which is planned and run again. */
const MOST_ALIASES = 50

/** The same field again in one place, with fields of its own: each is compared with each. */
const MOST_REPEATED = 50

/**
 * Counts what a document is written of, before anything is made of it.
 * @throws Refusal `graphql_too_complex`
 */
export function countDocument(document: DocumentNode): void {
  const counts = new Map<Kind, number>()
  let aliases = 0
  let repeated = 0
  visit(document, {
    enter: (node) => {
      counts.set(node.kind, (counts.get(node.kind) ?? 0) + 1)
      if (node.kind === Kind.FIELD && node.alias !== undefined) aliases += 1
      if (node.kind === Kind.SELECTION_SET) repeated += countRepeated(node)
    },
  })
  for (const { what, most, kinds } of limits) {
    const count = kinds.reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0)
    if (count > most) throw tooMany(what, most)
  }
  if (aliases > MOST_ALIASES) throw tooMany('aliases', MOST_ALIASES)
  if (repeated > MOST_REPEATED) throw tooMany('fields again in one place', MOST_REPEATED)
}

/** How many fields that have fields of their own are there again by the same name. */
function countRepeated({ selections }: SelectionSetNode): number {
  const names = selections.flatMap((one) =>
    one.kind === Kind.FIELD && one.selectionSet !== undefined
      ? [one.alias?.value ?? one.name.value]
      : [],
  )
  return names.length - new Set(names).size
}

export const tooMany = (what: string, most: number): Refusal =>
  new Refusal('graphql_too_complex', { detail: `A document may have ${most} ${what} at most.` })
