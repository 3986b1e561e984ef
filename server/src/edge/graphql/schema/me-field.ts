import { extendSchema, gql } from 'graphile-utils'
import { sql } from 'pg-sql2'

/** `me`: the session's own user, as the policies show them. */
export const meField: GraphileConfig.Plugin = extendSchema((build) => {
  const users = Object.values(build.input.pgRegistry.pgResources).find(
    ({ codec, parameters }) =>
      parameters === undefined &&
      codec.extensions?.pg?.schemaName === 'pie_schema' &&
      codec.extensions.pg.name === 'users',
  )
  if (users === undefined) throw new Error('pie_schema.users is not among the resources')
  const type = build.inflection.tableType(users.codec)
  return {
    typeDefs: gql`
      extend type Query {
        """
        The session's own user.
        """
        me: ${type}
      }
    `,
    objects: {
      Query: {
        plans: {
          me() {
            const $users = users.find()
            $users.where(sql`${$users as never}.id = (select pie_schema.current_user_id())`)
            return $users.single()
          },
        },
      },
    },
  }
}, 'PieMePlugin')
