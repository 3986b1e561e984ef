import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { Refusal } from '../../../ground/errors.ts'
import { LARGEST_PAGE, PAGE_SIZE } from '../schema/page-size.ts'
import { readPageSize } from '../schema/read-page-size.ts'
import { isIntrospection, measureIntrospection, measureSchema } from './measure-introspection.ts'

export interface Measure {
  /** How many fields stand inside each other. */
  depth: number
  /** How many fields are answered at most, were every page full. */
  cost: number
}

interface Part extends Measure {
  /** Of the cost, what there is once for a connection, however many rows it has. */
  once: number
}

export interface Measured {
  schema: GraphQLSchema
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  /** As they will be run: coerced, with the defaults of those that are not given. */
  variables: Readonly<Record<string, unknown>>
}

/**
 * Measures a valid operation without running it, with the values that it would be run with. Fragments are
 * measured once for each kind of place, however often they are spread.
 *
 * @throws Refusal `graphql_too_complex` for a page that is too large
 */
export function measureOperation(operation: OperationDefinitionNode, measured: Measured): Measure {
  const known = new Map<string, Part>()
  const root = measured.schema.getRootType(operation.operation)?.name ?? ''
  let introspected = 0

  /** @param isOfAll whether it is asked of all the rows of a table, rather than of those that belong to another row */
  const measureSet = (
    { selections }: SelectionSetNode,
    typeName: string,
    isOfAll: boolean,
  ): Part => {
    let depth = 0
    let cost = 0
    let once = 0
    for (const selection of selections) {
      if (isLeftOut(selection, measured)) continue
      const part =
        selection.kind === Kind.FIELD
          ? measureField(selection, typeName, isOfAll)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? measureFragment(selection.name.value, isOfAll)
            : measureSet(
                selection.selectionSet,
                selection.typeCondition?.name.value ?? typeName,
                isOfAll,
              )
      depth = Math.max(depth, part.depth)
      cost += part.cost
      once += part.once
    }
    return { depth, cost, once }
  }

  const measureFragment = (name: string, isOfAll: boolean): Part => {
    const fragment = measured.fragments.get(name)
    const key = `${name} ${isOfAll}`
    const measure =
      known.get(key) ??
      (fragment === undefined
        ? { depth: 0, cost: 0, once: 0 }
        : measureSet(fragment.selectionSet, fragment.typeCondition.name.value, isOfAll))
    known.set(key, measure)
    return measure
  }

  const measureField = (node: FieldNode, typeName: string, isOfAll: boolean): Part => {
    const type = measured.schema.getType(typeName)
    const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {}
    const field = fields[node.name.value]
    if (field === undefined) {
      // How deep what the schema says of itself goes, validation has seen to.
      if (isIntrospection(node.name.value)) introspected += measureIntrospection(node, measured)
      return { depth: 1, cost: 1, once: 0 }
    }
    const size = readPageSize(node, field, measured.variables)
    if (node.selectionSet === undefined) {
      // Postgres counts every row there is, however few are asked for.
      if (node.name.value !== 'totalCount' || !('pageInfo' in fields))
        return { depth: 1, cost: 1, once: 0 }
      return { depth: 1, cost: 0, once: isOfAll ? LARGEST_PAGE : PAGE_SIZE }
    }
    const inside = measureSet(node.selectionSet, nameOf(field.type), typeName === root)
    // A connection's rows are counted where its page is; of a list without pages nobody knows.
    const isUnbounded =
      isListType(getNullableType(field.type)) && fields['pageInfo']?.type.toString() !== 'PageInfo!'
    const rows = size ?? (isUnbounded ? PAGE_SIZE : 1)
    return { depth: inside.depth + 1, cost: 1 + rows * inside.cost + inside.once, once: 0 }
  }

  const { depth, cost } = measureSet(operation.selectionSet, root, false)
  if (introspected > MOST_OF_SCHEMA * measureSchema(measured.schema))
    throw new Refusal('graphql_too_complex', {
      detail: 'An operation may ask for what the schema says of itself twice at most.',
    })
  return { depth, cost }
}

/** Tools ask for all of it once. */
const MOST_OF_SCHEMA = 2

/** Whether its directives leave it out of what will be run. */
function isLeftOut(selection: SelectionNode, { variables }: Measured): boolean {
  if (selection.directives === undefined || selection.directives.length === 0) return false
  const skipped = getDirectiveValues(GraphQLSkipDirective, selection, variables)
  if (skipped?.['if'] === true) return true
  return getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.['if'] === false
}

function nameOf(type: GraphQLOutputType): string {
  const named = getNamedType(type)
  return isCompositeType(named) ? named.name : ''
}
