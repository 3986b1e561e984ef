import {
  AddNodeInterfaceToSuitableTypesPlugin,
  defaultPreset as buildPreset,
  MutationPayloadQueryPlugin,
  NodeAccessorPlugin,
  NodePlugin,
  QueryQueryPlugin,
  SwallowErrorsPlugin,
} from 'graphile-build'
import {
  PgAllRowsPlugin,
  PgAttributesPlugin,
  PgBasicsPlugin,
  PgCodecsPlugin,
  PgCustomTypeFieldPlugin,
  PgIntrospectionPlugin,
  PgMutationCreatePlugin,
  PgMutationPayloadEdgePlugin,
  PgMutationUpdateDeletePlugin,
  PgOrderAllAttributesPlugin,
  PgOrderByPrimaryKeyPlugin,
  PgOrderCustomFieldsPlugin,
  PgRelationsPlugin,
  PgRowByUniquePlugin,
  PgTablesPlugin,
  PgTypesPlugin,
  defaultPreset as pgPreset,
} from 'graphile-build-pg'

/**
 * What PostGraphile calls Amber, of the packages that it is made of: PostGraphile itself brings an editor and a server
 * of 270 MB along. The order of plugins is the order of fields in the schema.
 */
export const amberPreset: GraphileConfig.Preset = {
  extends: [
    {
      plugins: [
        QueryQueryPlugin,
        PgBasicsPlugin,
        PgCodecsPlugin,
        PgTypesPlugin,
        PgIntrospectionPlugin,
        PgTablesPlugin,
        AddNodeInterfaceToSuitableTypesPlugin,
        NodePlugin,
        PgAllRowsPlugin,
        PgRowByUniquePlugin,
        PgAttributesPlugin,
        MutationPayloadQueryPlugin,
        PgRelationsPlugin,
        PgMutationCreatePlugin,
        PgMutationUpdateDeletePlugin,
        PgCustomTypeFieldPlugin,
        NodeAccessorPlugin,
        PgOrderAllAttributesPlugin,
        PgOrderCustomFieldsPlugin,
        PgOrderByPrimaryKeyPlugin,
        PgMutationPayloadEdgePlugin,
      ],
    },
    buildPreset,
    pgPreset,
  ],
  plugins: [SwallowErrorsPlugin],
}
