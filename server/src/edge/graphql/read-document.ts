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
import { LRUCache } from 'lru-cache'
import { Refusal } from '../../ground/errors.ts'
import { countDocument } from './count-document.ts'
import { refuseDocument } from './refuse-document.ts'

/** A document that is valid for a schema. */
export interface ReadDocument {
  document: DocumentNode
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
}

export type ReadDocuments = (text: string) => ReadDocument

/** The most words and signs of one document; each is read before anything is known of it. */
const MOST_TOKENS = 3_000

/** How much text is remembered of each schema; what is made of it is some fifty times as large. */
const REMEMBERED_CHARACTERS = 500_000
const REMEMBERED_DOCUMENTS = 300

/**
 * Reads documents for one schema, and remembers the valid ones: a client sends the same few over and over.
 * @throws Refusal `graphql_invalid`, `graphql_too_complex`
 */
export function createDocumentReader(schema: GraphQLSchema, showsItself: boolean): ReadDocuments {
  const remembered = new LRUCache<string, ReadDocument>({
    max: REMEMBERED_DOCUMENTS,
    maxSize: REMEMBERED_CHARACTERS,
    sizeCalculation: (_, text) => text.length + 1,
  })
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
