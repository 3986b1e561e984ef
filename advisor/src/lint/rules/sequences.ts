import type { Catalog, Relation } from '../../catalog/catalog.ts'
import { askersOf, nameOfRole } from '../rights/askers.ts'
import type { Fault, Rule } from '../rule.ts'

export const sequenceCanBeSet: Rule = {
  name: 'sequence-can-be-set',
  weight: 'hole',
  why:
    'update on a sequence is setval: whoever has it sets the numbers back, so that every insert fails until they are used up, ' +
    'or forward to their end. usage is enough to insert, and an identity column needs neither.',
  find: (catalog) =>
    grantsOn(catalog, 'update', (sequence, role) => ({
      object: `grant of update to ${role} on sequence ${sequence.sql}`,
      mend: `revoke update on sequence ${sequence.sql} from ${role};`,
    })),
}

export const sequenceTellsCount: Rule = {
  name: 'sequence-tells-count',
  weight: 'leak',
  why:
    'select on a sequence shows its last number, and so how many rows there are, and how many more each day, of a table ' +
    'whose rows only some may see.',
  find: (catalog) =>
    grantsOn(catalog, 'select', (sequence, role) => {
      const table = catalog.relations.get(sequence.ownedBy?.relation ?? 0)
      if (table?.rowSecurity !== true) return null
      return {
        object: `grant of select to ${role} on sequence ${sequence.sql}`,
        detail: `it numbers ${table.sql}`,
        mend: `revoke select on sequence ${sequence.sql} from ${role};`,
      }
    }),
}

function grantsOn(
  catalog: Catalog,
  privilege: 'select' | 'update',
  fault: (sequence: Relation, role: string) => Fault | null,
): Fault[] {
  return [...catalog.relations.values()]
    .filter(({ isAsked, kind }) => isAsked && kind === 'S')
    .flatMap((sequence) =>
      askersOf(catalog, sequence, privilege).flatMap(
        (role) => fault(sequence, nameOfRole(catalog, role)) ?? [],
      ),
    )
}
