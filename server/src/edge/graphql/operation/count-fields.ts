import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

/**
 * How many fields there are to be planned in the operations of a valid document: those of a fragment once
 * for each place where it is spread.
 */
export function countFields(
  document: DocumentNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  const known = new Map<string, number>()

  const countSet = (set: SelectionSetNode | undefined): number => {
    let count = 0
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) count += countFragment(selection.name.value)
      else count += countSet(selection.selectionSet) + (selection.kind === Kind.FIELD ? 1 : 0)
    }
    return count
  }

  const countFragment = (name: string): number => {
    const count = known.get(name) ?? countSet(fragments.get(name)?.selectionSet)
    known.set(name, count)
    return count
  }

  return document.definitions
    .filter((definition): definition is OperationDefinitionNode => 'operation' in definition)
    .reduce((sum, { selectionSet }) => sum + countSet(selectionSet), 0)
}
