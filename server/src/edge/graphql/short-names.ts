/**
 * Names as short as they can be: `user(id:)`, `users`, `note.owner`, `user.userEmails`, and `id` is the
 * row's own. Where two would be alike, PostGraphile's long name stands.
 */
export const shortNames: GraphileConfig.Plugin = {
  name: 'PieShortNamesPlugin',
  version: '1.0.0',
  inflection: {
    replace: {
      nodeIdFieldName: () => 'nodeId',
      // Two tables of one name in two schemas are told apart by a smart comment, `@name`.
      _schemaPrefix: () => '',
      _attributeName: (previous, _options, details) =>
        (previous as NonNullable<typeof previous>)({ ...details, skipRowId: true }),
      _allRows(_previous, _options, resource) {
        return this.camelCase(this.pluralize(this._singularizedResourceName(resource)))
      },
      rowByUnique(previous, _options, details) {
        if (!details.unique.isPrimary) return previous?.(details) ?? ''
        return this.camelCase(this.tableType(details.resource.codec))
      },
      patchField: () => 'patch',
      updateNodeField(previous, _options, details) {
        return `${previous?.(details)}ByNodeId`
      },
      deleteNodeField(previous, _options, details) {
        return `${previous?.(details)}ByNodeId`
      },
      updateByKeysField(previous, _options, details) {
        if (!details.unique.isPrimary) return previous?.(details) ?? ''
        return this.camelCase(`update-${this._singularizedResourceName(details.resource)}`)
      },
      deleteByKeysField(previous, _options, details) {
        if (!details.unique.isPrimary) return previous?.(details) ?? ''
        return this.camelCase(`delete-${this._singularizedResourceName(details.resource)}`)
      },
      _singleRelationRaw(previous, _options, details) {
        const { registry, codec, relationName } = details
        const relation = registry.pgRelations[codec.name]?.[relationName]
        const [attribute = '', ...others] = relation?.localAttributes ?? []
        const [, base] = /^(.+)_id$/.exec(attribute) ?? []
        const isNamed = relation?.extensions?.tags?.['fieldName'] !== undefined
        const isTaken = base === undefined || base in codec.attributes
        return isNamed || isTaken || others.length > 0 ? (previous?.(details) ?? '') : base
      },
      _manyRelationRaw(previous, _options, details) {
        const { registry, codec, relationName } = details
        const relation = registry.pgRelations[codec.name]?.[relationName]
        const [attribute = '', ...others] = relation?.remoteAttributes ?? []
        const isNamed = relation?.extensions?.tags?.['foreignFieldName'] !== undefined
        const isOwn =
          this.camelCase(attribute.replace(/_id$/, '')) === this.camelCase(this.tableType(codec))
        if (relation === undefined || isNamed || !isOwn || others.length > 0)
          return previous?.(details) ?? ''
        return this.pluralize(this.tableType(relation.remoteResource.codec))
      },
    },
  },
}
