import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

export interface FieldCounts {
  fields: number
  /** Those of them that have fields of their own. */
  parents: number
}

/**
 * How many fields there are to be planned in the operations of a valid document: those of a fragment once
 * for each place where it is spread.
 */
export function countFields(
  document: DocumentNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): FieldCounts {
  const known = new Map<string, FieldCounts>()

  const countSet = (set: SelectionSetNode | undefined): FieldCounts => {
    let fields = 0
    let parents = 0
    for (const selection of set?.selections ?? []) {
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD
      const inside = isSpread
        ? countFragment(selection.name.value)
        : countSet(selection.selectionSet)
      const isField = selection.kind === Kind.FIELD
      fields += inside.fields + (isField ? 1 : 0)
      parents += inside.parents + (isField && selection.selectionSet !== undefined ? 1 : 0)
    }
    return { fields, parents }
  }

  const countFragment = (name: string): FieldCounts => {
    const count = known.get(name) ?? countSet(fragments.get(name)?.selectionSet)
    known.set(name, count)
    return count
  }

  return document.definitions
    .filter((definition): definition is OperationDefinitionNode => 'operation' in definition)
    .map(({ selectionSet }) => countSet(selectionSet))
    .reduce((sum, one) => ({
      fields: sum.fields + one.fields,
      parents: sum.parents + one.parents,
    }))
}
