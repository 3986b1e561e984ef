import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getArgumentValues,
  getIntrospectionQuery,
  getNamedType,
  isObjectType,
  Kind,
  parse,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql'

const asked = new Map([SchemaMetaFieldDef, TypeMetaFieldDef].map((field) => [field.name, field]))

/** Whether a field asks what the schema says of itself. */
export const isIntrospection = (name: string): boolean => asked.has(name)

interface Asked {
  schema: GraphQLSchema
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  variables: Readonly<Record<string, unknown>>
}

/**
 * Counts the fields that such a question is answered with, exactly: by the functions that answer it. What is asked of one
 * thing by one part of a document is counted once, so it takes no time even where the answer would.
 */
export function measureIntrospection(node: FieldNode, asking: Asked): number {
  const field = asked.get(node.name.value)
  return field === undefined ? 0 : measureField(node, field, undefined, asking, new WeakMap())
}

const wholes = new WeakMap<GraphQLSchema, number>()

/** How many fields the question has that tools ask: for all of the schema. */
export function measureSchema(schema: GraphQLSchema): number {
  const known = wholes.get(schema)
  if (known !== undefined) return known
  const { definitions } = parse(getIntrospectionQuery())
  const fragments = new Map(
    definitions.flatMap((part) =>
      part.kind === Kind.FRAGMENT_DEFINITION ? [[part.name.value, part] as const] : [],
    ),
  )
  const operation = definitions.find((part) => part.kind === Kind.OPERATION_DEFINITION)
  const [node] = operation?.selectionSet.selections ?? []
  const whole =
    node?.kind === Kind.FIELD ? measureIntrospection(node, { schema, fragments, variables: {} }) : 0
  wholes.set(schema, whole)
  return whole
}

type Field = typeof SchemaMetaFieldDef
type Known = WeakMap<object, Map<SelectionSetNode, number>>

function measureField(
  node: FieldNode,
  field: Field,
  source: unknown,
  asking: Asked,
  known: Known,
): number {
  const type = getNamedType(field.type)
  if (node.selectionSet === undefined || !isObjectType(type)) return 1
  const values = getArgumentValues(field, node, asking.variables)
  const read = field.resolve ?? (() => (source as Record<string, unknown>)[field.name])
  const found: unknown = read(source, values, null, { schema: asking.schema } as never)
  let count = 1
  for (const one of Array.isArray(found) ? found : [found])
    if (typeof one === 'object' && one !== null)
      count += measureSet(node.selectionSet, type.getFields(), one, asking, known)
  return count
}

function measureSet(
  set: SelectionSetNode,
  fields: Record<string, Field>,
  source: object,
  asking: Asked,
  known: Known,
): number {
  const before = known.get(source)?.get(set)
  if (before !== undefined) return before
  let count = 0
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const field = fields[selection.name.value]
      count += field === undefined ? 1 : measureField(selection, field, source, asking, known)
      continue
    }
    const inside =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? asking.fragments.get(selection.name.value)?.selectionSet
        : selection.selectionSet
    if (inside !== undefined) count += measureSet(inside, fields, source, asking, known)
  }
  const counts = known.get(source) ?? new Map<SelectionSetNode, number>()
  known.set(source, counts.set(set, count))
  return count
}
