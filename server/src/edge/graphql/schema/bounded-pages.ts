import { type FieldArg, type FieldArgs, type FieldInfo, lambda, type Step } from 'grafast'
import { LARGEST_PAGE, PAGE_SIZE } from './page-size.ts'

interface PagedStep {
  setFirst($first: Step): void
  setLast($last: Step): void
}

/**
 * Gives every connection and every plain list of rows a page size, so that none of them is as long as its table: whatever
 * number arrives when it is run, no page is larger than the largest.
 */
export const boundedPages: GraphileConfig.Plugin = {
  name: 'PieBoundedPagesPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLObjectType_fields_field_args: {
        after: ['PgFirstLastBeforeAfterArgsPlugin'],
        callback(args, _build, { scope }) {
          const { first, last } = args
          if (first === undefined) return args
          const { isPgFieldConnection, isPgFieldSimpleCollection } = scope
          if (!isPgFieldConnection && !isPgFieldSimpleCollection) return args
          const { applyPlan: _, ...others } = first
          const description = `Only read the first \`n\` values of the set. At most ${LARGEST_PAGE}.`
          const bounded = { ...others, description, defaultValue: PAGE_SIZE }
          // A list has no last rows, so nothing else has to be known of it.
          if (!isPgFieldConnection)
            return { ...args, first: { ...bounded, applyPlan: applyFirst as never } }
          return {
            ...args,
            first: bounded,
            ...(last !== undefined && { last: { ...last, applyPlan: applyLast as never } }),
          }
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
            const $first = lambda($sizes, firstOfPage, true)
            ;($connection as unknown as PagedStep).setFirst($first)
            return $connection
          },
        }
      },
    },
  },
}

function applyFirst(_$parent: Step, $rows: PagedStep, argument: FieldArg): void {
  $rows.setFirst(lambda([argument.getRaw()], firstOfPage, true))
}

function applyLast(_$parent: Step, $connection: PagedStep, argument: FieldArg): void {
  $connection.setLast(lambda(argument.getRaw(), lastOfPage, true))
}

/** Null where the last ones are asked for: then that number counts. */
function firstOfPage([first, last]: readonly unknown[]): number | null {
  if (typeof last === 'number') return null
  return Math.min(typeof first === 'number' ? first : PAGE_SIZE, LARGEST_PAGE)
}

const lastOfPage = (last: unknown): number | null =>
  typeof last === 'number' ? Math.min(last, LARGEST_PAGE) : null
