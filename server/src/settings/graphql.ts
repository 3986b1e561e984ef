/** What GraphQL shows, and how much of it at once. */
import { asChoice, asNames, asNumber } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const graphqlSettings = {
  GRAPHQL_SCHEMAS: withDefault(
    'schemas, comma-separated',
    asNames,
    '',
    'Schemas of your own that GraphQL shows beside pie_schema: of what is in them, what the database role of whoever ' +
      'asks may touch. Names as they are in Postgres, capitals too; in quotes what has a comma in it.',
  ),
  GRAPHQL_INTROSPECTION: optional(
    'on or off',
    asChoice('on', 'off'),
    'on; off when SERVICE_DOMAIN is https',
    'Whether GraphQL clients may ask what there is, and are told what they may have meant.',
  ),
  GRAPHQL_MAX_DEPTH: withDefault(
    'number',
    asNumber(1, 100),
    '12',
    'How many fields of a GraphQL operation may stand inside each other.',
  ),
  GRAPHQL_MAX_COST: withDefault(
    'number',
    asNumber(1, 100_000_000),
    '10000',
    'How many fields a GraphQL operation may be answered with, were every page of it full.',
  ),
  GRAPHQL_MAX_ANSWER_SIZE: withDefault(
    'bytes',
    asNumber(10_000, 256_000_000),
    '8000000',
    'How large an answer of GraphQL may be, and what Postgres sends for it. What is larger is broken off while it is read.',
  ),
}
