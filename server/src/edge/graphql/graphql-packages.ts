import type { OptionalPart } from '../../ground/load-optional.ts'

/** PostGraphile by its parts: the package of that name brings 270 MB of an editor along. */
export const graphqlPackages: OptionalPart = {
  what: 'GraphQL',
  packages: [
    'graphql',
    'grafast',
    'graphile-build',
    'graphile-build-pg',
    'graphile-utils',
    '@dataplan/pg',
    'pg-sql2',
  ],
}
