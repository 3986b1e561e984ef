import type { Privilege } from '../catalog/acl.ts'
import type { Relation } from '../catalog/catalog.ts'
import type { ExposedSequence, SequenceAction } from './exposure.ts'
import { sequenceActions } from './exposure.ts'
import { mayOnRelation, mayUse } from './privileges.ts'
import type { Standing } from './standing.ts'
import type { Known } from './statement/judge.ts'

/** What each action asks for: one of these. */
const asked: Record<SequenceAction, Privilege[]> = {
  nextval: ['usage', 'update'],
  currval: ['usage', 'select'],
  setval: ['update'],
  select: ['select'],
}

export function exposeSequences(
  { catalog, standings }: Known,
  roles: readonly Standing[],
): ExposedSequence[] {
  return [...catalog.relations.values()]
    .filter(({ isAsked, kind }) => isAsked && kind === 'S')
    .map((sequence) => ({
      schema: sequence.schema.name,
      name: sequence.name,
      of: ownerOf(sequence, catalog.relations),
      access: roles.flatMap((role) => {
        const canName = mayUse(role, sequence.schema)
        const actions = sequenceActions.filter(
          (action) =>
            (canName || action !== 'select') &&
            asked[action].some((privilege) => mayOnRelation(role, sequence, privilege)),
        )
        return actions.length === 0 ? [] : [{ role: role.name, actions, only_by_number: !canName }]
      }),
      owned_by: roles
        .filter((role) => standings.hasRightsOf(role, sequence.owner))
        .map(({ name }) => name),
    }))
}

function ownerOf({ ownedBy }: Relation, relations: ReadonlyMap<number, Relation>): string | null {
  const relation = relations.get(ownedBy?.relation ?? 0)
  const column = relation?.columns.find(({ number }) => number === ownedBy?.column)
  return relation === undefined || column === undefined
    ? null
    : `${relation.schema.name}.${relation.name}.${column.name}`
}
