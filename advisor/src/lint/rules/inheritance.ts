import type { Catalog, Command, Policy, Relation } from '../../catalog/catalog.ts'
import { askersOf, namesOfRoles } from '../rights/askers.ts'
import type { Rule } from '../rule.ts'

export const readThroughParent: Rule = {
  name: 'read-through-parent',
  weight: 'leak',
  why:
    'Whoever reads a table reads the rows of those that inherit from it, and of its partitions, by the policies of that table ' +
    'alone: those of the child hold only for who names the child.',
  find: (catalog) =>
    [...catalog.relations.values()]
      .filter(({ isAsked, rowSecurity, parents }) => isAsked && rowSecurity && parents.length > 0)
      .flatMap((child) =>
        ancestorsOf(catalog, child).flatMap((parent) => {
          const readers = askersOf(catalog, parent, 'select', 'update', 'delete')
          const lost = readers.length === 0 ? null : whatIsLost(catalog, child, parent)
          if (lost === null) return []
          const who = namesOfRoles(catalog, readers)
          return [
            {
              object: `table ${child.sql} in ${parent.sql}`,
              detail: `${who} may read ${parent.sql}, for which ${lost}`,
              mend:
                `-- or give it the policies of its child\n` +
                `revoke select, update, delete on ${parent.sql} from ${who};`,
            },
          ]
        }),
      ),
}

function ancestorsOf({ relations }: Catalog, child: Relation): Relation[] {
  const found = new Set<Relation>([child])
  for (const relation of found)
    for (const oid of relation.parents) {
      const parent = relations.get(oid)
      if (parent !== undefined) found.add(parent)
    }
  found.delete(child)
  return [...found]
}

/**
 * What holds for the child and not for what it is read through. A child that is closed to all is as it should be, and one
 * with other policies than its parent may only open more to who names it: what is told is what surely holds no more.
 */
function whatIsLost(catalog: Catalog, child: Relation, parent: Relation): string | null {
  if (!parent.rowSecurity) return 'no policy holds'
  const isOfAskers = ({ roles }: Policy) =>
    roles.some((role) => role === 0 || catalog.requestRoles.has(role))
  const there = new Set(parent.policies.map(meaningOf))
  const restrictive = child.policies.find(
    (policy) =>
      !policy.isPermissive &&
      readsRows(policy) &&
      isOfAskers(policy) &&
      !there.has(meaningOf(policy)),
  )
  if (restrictive !== undefined) return `${restrictive.sql}, which restricts, does not hold`
  const ofChild = child.policies.filter(
    (policy) => policy.isPermissive && readsRows(policy) && isOfAskers(policy),
  )
  const open = parent.policies.filter(
    (policy) => policy.isPermissive && readsRows(policy) && isOfAskers(policy),
  )
  const isOther = ofChild.length > 0 && !ofChild.some((policy) => there.has(meaningOf(policy)))
  const [first] = ofChild
  return isOther && first !== undefined && open.length > 0 ? `${first.sql} does not hold` : null
}

const reading: readonly Command[] = ['select', 'all']
const readsRows = ({ command }: Policy): boolean => reading.includes(command)

const meaningOf = ({ isPermissive, using }: Policy): string =>
  `${isPermissive} ${using?.text ?? ''}`
