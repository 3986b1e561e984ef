import { columnFields, nameRelations, numbered } from './name-relations.ts'

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
      // Two of one name in two schemas are told apart before: by `@name`, theirs or ours (`name-apart.ts`).
      _schemaPrefix: () => '',
      // A type's name is its codec's too, and that of its arrays.
      typeCodecName(previous, _options, details) {
        const { pgType } = details
        const element = pgType.typcategory === 'A' ? pgType.getElemType() : undefined
        const { name } = (element ?? pgType).getTags()
        if (typeof name !== 'string') return previous?.(details) ?? ''
        return this.camelCase(element === undefined ? name : `${name}_array`)
      },
      _attributeName: (previous, _options, details) =>
        (previous as NonNullable<typeof previous>)({ ...details, skipRowId: true }),
      _allRows(previous, _options, resource) {
        const one = this._singularizedResourceName(resource)
        const rows = this.camelCase(this.pluralize(one))
        // One sheep, two sheep.
        return rows === this.camelCase(one) ? (previous?.(resource) ?? rows) : rows
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
      // Only PostGraphile reads this one: foreign keys that are not the same must not have the same.
      resourceRelationName(previous, _options, details) {
        const { foreignClass, localAttributes, foreignAttributes } = details
        const columns = [localAttributes, foreignAttributes].map((all) =>
          all.map(({ attnum }) => attnum).join(','),
        )
        return `${previous?.(details)}|${foreignClass._id}|${columns.join('|')}`
      },
      _singleRelationRaw(_previous, _options, details) {
        return nameRelations(this, details).get(details.relationName) ?? ''
      },
      _singleRelationBackwardsRaw(_previous, _options, details) {
        return nameRelations(this, details).get(details.relationName) ?? ''
      },
      _manyRelationRaw(_previous, _options, details) {
        return nameRelations(this, details).get(details.relationName) ?? ''
      },
      // Also what is given to the one or the other alone takes no name from another field.
      manyRelationConnection(_previous, _options, details) {
        return this.connectionField(this._manyRelation(details))
      },
      manyRelationList(previous, _options, details) {
        const given = previous?.(details) ?? ''
        const { registry, codec } = details
        const isTaken =
          columnFields(this, codec as never).includes(given) ||
          [...nameRelations(this, { registry, codec }).values()].some(
            (name) => this.camelCase(name) === given,
          )
        return isTaken ? this.listField(this._manyRelation(details)) : given
      },
      computedAttributeField(previous, _options, details) {
        const { resource } = details
        const codec = resource.parameters?.[0]?.codec
        const short = previous?.(details) ?? ''
        if (codec?.attributes === undefined) return short
        const own = this
        return nameComputed().get(resource.name) ?? short
        function nameComputed(): ReadonlyMap<string, string> {
          const { registry } = resource
          const known = computedNames.get(codec as object)
          if (known !== undefined) return known
          const relations = nameRelations(own, { registry, codec: codec as never })
          const taken = new Set([
            own.nodeIdFieldName(),
            ...columnFields(own, codec as never),
            ...[...relations.values()].map((name) => own.camelCase(name)),
          ])
          const names = new Map<string, string>()
          for (const one of Object.values(registry.pgResources) as (typeof resource)[]) {
            if (one.parameters?.[0]?.codec !== codec || one.isMutation) continue
            const long = own.camelCase(String(one.extensions?.tags?.['name'] ?? one.name))
            const wanted = [previous?.({ resource: one }) ?? long, long]
            const free = wanted.find((name) => !taken.has(name)) ?? numbered(long, taken)
            taken.add(free)
            names.set(one.name, free)
          }
          computedNames.set(codec as object, names)
          return names
        }
      },
      // Columns of what a function returns have no comment by which to name them apart.
      attribute(previous, _options, details) {
        const { codec, attributeName } = details
        if (!codec.isAnonymous) return previous?.(details) ?? ''
        const taken = new Set<string>()
        for (const one of Object.keys(codec.attributes)) {
          const wanted = previous?.({ ...details, attributeName: one }) ?? ''
          const name = taken.has(wanted) ? numbered(wanted, taken) : wanted
          if (one === attributeName) return name
          taken.add(name)
        }
        return previous?.(details) ?? ''
      },
    },
  },
}

const computedNames = new WeakMap<object, ReadonlyMap<string, string>>()
