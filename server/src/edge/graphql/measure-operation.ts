import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { Refusal } from '../../ground/errors.ts'
import { LARGEST_PAGE, PAGE_SIZE } from './page-size.ts'

export interface Measure {
  /** How many fields stand inside each other. */
  depth: number
  /** How many fields are answered at most, were every page full. */
  cost: number
}

export interface Measured {
  schema: GraphQLSchema
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  variables: Readonly<Record<string, unknown>>
}

/**
 * Measures a valid operation without running it. Fragments are measured once each, however often they
 * are spread.
 *
 * @throws Refusal `graphql_too_complex` for a page that is too large
 */
export function measureOperation(operation: OperationDefinitionNode, measured: Measured): Measure {
  const known = new Map<string, Measure>()

  const measureSet = ({ selections }: SelectionSetNode, typeName: string): Measure => {
    let depth = 0
    let cost = 0
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD
          ? measureField(selection, typeName)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? measureFragment(selection.name.value)
            : measureSet(selection.selectionSet, selection.typeCondition?.name.value ?? typeName)
      depth = Math.max(depth, part.depth)
      cost += part.cost
    }
    return { depth, cost }
  }

  const measureFragment = (name: string): Measure => {
    const fragment = measured.fragments.get(name)
    const measure =
      known.get(name) ??
      (fragment === undefined
        ? { depth: 0, cost: 0 }
        : measureSet(fragment.selectionSet, fragment.typeCondition.name.value))
    known.set(name, measure)
    return measure
  }

  const measureField = (node: FieldNode, typeName: string): Measure => {
    const field = findField(measured.schema, typeName, node.name.value)
    // What the schema says of itself: how deep that goes, validation has seen to.
    if (field === undefined || node.selectionSet === undefined) return { depth: 1, cost: 1 }
    const inside = measureSet(node.selectionSet, nameOf(field.type))
    return { depth: inside.depth + 1, cost: 1 + pageSize(node, field, measured) * inside.cost }
  }

  const root = measured.schema.getRootType(operation.operation)
  return measureSet(operation.selectionSet, root?.name ?? '')
}

function findField(
  schema: GraphQLSchema,
  typeName: string,
  fieldName: string,
): GraphQLField<unknown, unknown> | undefined {
  const type = schema.getType(typeName)
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[fieldName] : undefined
}

function nameOf(type: GraphQLOutputType): string {
  const named = getNamedType(type)
  return isCompositeType(named) ? named.name : ''
}

/** How many rows a field is answered with: 1 for all but connections. */
function pageSize(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  { variables }: Measured,
): number {
  if (!field.args.some(({ name }) => name === 'first')) return 1
  const read = (name: string): number | null => {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value
    if (value === undefined) return null
    const given = value.kind === Kind.VARIABLE ? variables[value.name.value] : numberOf(value)
    return typeof given === 'number' ? given : null
  }
  const [first, last] = [read('first'), read('last')]
  if (first !== null && last !== null)
    throw new Refusal('graphql_too_complex', { detail: 'A page is either the first or the last.' })
  const size = last ?? first ?? PAGE_SIZE
  if (size < 0 || size > LARGEST_PAGE)
    throw new Refusal('graphql_too_complex', { detail: `A page has ${LARGEST_PAGE} rows at most.` })
  return size
}

const numberOf = (value: { kind: Kind; value?: unknown }): number | null =>
  value.kind === Kind.INT ? Number(value.value) : null
