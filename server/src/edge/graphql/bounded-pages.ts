import { type FieldArgs, type FieldInfo, lambda, type Step } from 'grafast'
import { LARGEST_PAGE, PAGE_SIZE } from './page-size.ts'

interface PagedStep {
  setFirst($first: Step): void
}

/** Gives every connection a page size, so that none of them is as long as its table. */
export const boundedPages: GraphileConfig.Plugin = {
  name: 'PieBoundedPagesPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields_field_args: {
        after: ['PgFirstLastBeforeAfterArgsPlugin'],
        callback(args, _build, { scope }) {
          const { first } = args
          if (!scope.isPgFieldConnection || first === undefined) return args
          const { applyPlan: _, ...others } = first
          const description = `Only read the first \`n\` values of the set. At most ${LARGEST_PAGE}.`
          return { ...args, first: { ...others, description, defaultValue: PAGE_SIZE } }
        },
      },
      GraphQLObjectType_fields_field(field, _build, { scope }) {
        const { plan } = field
        if (!scope.isPgFieldConnection || plan === undefined) return field
        return {
          ...field,
          plan($parent: Step, args: FieldArgs, info: FieldInfo) {
            const $connection = plan($parent as never, args as never, info)
            const named = new Set(info.field.args.map(({ name }) => name))
            if (!named.has('first')) return $connection
            const $last = named.has('last') ? args.getRaw('last') : null
            const $sizes = $last === null ? [args.getRaw('first')] : [args.getRaw('first'), $last]
            const $first = lambda($sizes, sizeOfPage, true)
            ;($connection as unknown as PagedStep).setFirst($first)
            return $connection
          },
        }
      },
    },
  },
}

/** Null where the last ones are asked for: then that number counts. */
function sizeOfPage([first, last]: readonly unknown[]): number | null {
  if (typeof last === 'number') return null
  return Math.min(typeof first === 'number' ? first : PAGE_SIZE, LARGEST_PAGE)
}
