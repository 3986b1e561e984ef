import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import { inLatin, legalName } from './legal-name.ts'

/** What nothing may be called that stands beside them (GraphQL September 2025, 3.9.1). */
const NO_LABELS = ['true', 'false', 'null']

/** Arguments that PostGraphile gives to fields that are pages. */
const OF_PAGES = ['first', 'last', 'offset', 'before', 'after', 'orderBy', 'condition']

const labelsOf = new WeakMap<object, ReadonlyMap<string, string>>()

/** Names that may be anything in Postgres become names that GraphQL takes, no two of them alike. */
export const legalNames: GraphileConfig.Plugin = {
  name: 'PieLegalNamesPlugin',
  version: '1.0.0',
  inflection: {
    replace: {
      coerceToGraphQLName: (previous, _options, name) =>
        legalName(previous?.(inLatin(name)) ?? name),
      camelCase: (previous, _options, text) => legalName(previous?.(inLatin(text)) || text),
      upperCamelCase: (previous, _options, text) => legalName(previous?.(inLatin(text)) || text),
      constantCase: (previous, _options, text) => legalName(previous?.(inLatin(text)) || text),
      enumValue(previous, _options, value, codec) {
        const known = labelsOf.get(codec) ?? nameLabels(codec.values.map((one) => one.value))
        labelsOf.set(codec, known)
        return known.get(value) ?? value
        function nameLabels(labels: readonly string[]): ReadonlyMap<string, string> {
          const isName = (label: string) => legalName(label) === label && !NO_LABELS.includes(label)
          const names = new Map(labels.filter(isName).map((label) => [label, label]))
          const taken = new Set(names.keys())
          for (const label of labels.filter((one) => !names.has(one))) {
            // Signs have words of PostGraphile's; several words become one.
            const isWords = /[^\p{L}\p{N}_]/u.test(label) && /[\p{L}\p{N}]/u.test(label)
            // PostGraphile looks others up in an object, which has keys of its own.
            const isOdd = isWords || label in Object.prototype
            const kept = isOdd ? '' : legalName(previous?.(label, codec) ?? '')
            names.set(label, firstFree(isName(kept) ? kept : constant(label), taken))
          }
          return names
        }
      },
      argument(previous, _options, details) {
        const { resource, index, param } = details
        const all = resource.parameters ?? []
        const offset = all.indexOf(param as never) - index
        const taken = new Set<string>([
          ...(resource.isMutation ? ['clientMutationId'] : []),
          ...(resource.isMutation || resource.isUnique ? [] : OF_PAGES),
        ])
        for (const [place, one] of all.entries()) {
          const wanted = previous?.({ ...details, param: one, index: place - offset }) ?? ''
          const name = firstFree(wanted, taken)
          if (one === (param as never)) return name
        }
        return previous?.(details) ?? ''
      },
    },
  },
}

/** `IN_PROGRESS` for `in progress`. */
const constant = (label: string): string =>
  legalName(
    inLatin(label)
      .replaceAll(/[^0-9A-Za-z]+/g, '_')
      .replaceAll(/(?<=.)_$|^_(?=[A-Za-z])/g, '')
      .toUpperCase(),
  )

function firstFree(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`
  taken.add(name)
  return name
}
