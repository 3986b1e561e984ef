import type {} from 'graphile-build-pg'

/** What the inflectors look at of a table's row. */
export const codecNamed = (name: string, inflection: GraphileBuild.Inflection) =>
  ({ name: inflection.camelCase(name), attributes: {}, extensions: { tags: { name } } }) as never
