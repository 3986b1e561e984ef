import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { Refusal } from '../../../ground/errors.ts'
import type { BuiltSchema } from '../schema/build-schema.ts'
import { countDocument, tooMany } from './count-document.ts'
import { countFields } from './count-fields.ts'
import { refuseDocument } from './refuse-document.ts'

/** A document that is valid for a schema. */
export interface ReadDocument {
  document: DocumentNode
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
}

export type ReadDocuments = (text: string) => ReadDocument

/** The most words and signs of one document; each is read before anything is known of it. */
const MOST_TOKENS = 3_000

/** The most fields of one document, each as often as it has to be planned: some 0.05 ms for each. */
const MOST_FIELDS = 500

/** The most of them that have fields of their own: planning takes longest for these, up to 1 ms for each, while everybody waits. */
const MOST_PARENTS = 150

/**
 * How much is remembered for each schema, in fields: some 25 kB each, most of it their plans. When it is
 * full, all is forgotten: whoever makes up document after document pays for each of them anyway.
 */
const MOST_REMEMBERED = 5_000

/** Text is remembered too, and weighs less. */
const CHARACTERS_PER_FIELD = 200

/**
 * Reads documents for one schema, and remembers the valid ones: a client sends the same few over and over.
 * @throws Refusal `graphql_invalid`, `graphql_too_complex`
 */
export function createDocumentReader(
  { schema, forgetPlans }: Pick<BuiltSchema, 'schema' | 'forgetPlans'>,
  showsItself: boolean,
): ReadDocuments {
  const remembered = new Map<string, ReadDocument>()
  let weight = 0
  return (text) => {
    const known = remembered.get(text)
    if (known !== undefined) return known
    const document = readDocument(schema, text, showsItself)
    const fragments = new Map(
      document.definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION
          ? [[definition.name.value, definition] as const]
          : [],
      ),
    )
    const { fields, parents } = countFields(document, fragments)
    if (fields > MOST_FIELDS) throw tooMany('fields, those of fragments each time', MOST_FIELDS)
    if (parents > MOST_PARENTS)
      throw tooMany('fields with fields of their own, those of fragments each time', MOST_PARENTS)
    weight += fields + text.length / CHARACTERS_PER_FIELD
    if (weight > MOST_REMEMBERED) {
      remembered.clear()
      forgetPlans()
      weight = 0
    }
    const read = { document, fragments }
    remembered.set(text, read)
    return read
  }
}

function readDocument(schema: GraphQLSchema, text: string, showsItself: boolean): DocumentNode {
  try {
    const document = parse(text, { maxTokens: MOST_TOKENS })
    countDocument(document)
    const rules = showsItself
      ? specifiedRules
      : [...specifiedRules, NoSchemaIntrospectionCustomRule]
    const options = { maxErrors: 20, hideSuggestions: !showsItself }
    const errors = validate(schema, document, rules, options)
    if (errors.length === 0) return document
    throw refuseDocument(errors)
  } catch (error) {
    if (error instanceof GraphQLError) throw refuseDocument([error])
    // Nested so deeply that there is no stack left.
    if (error instanceof RangeError) throw new Refusal('graphql_too_complex', { cause: error })
    throw error
  }
}
