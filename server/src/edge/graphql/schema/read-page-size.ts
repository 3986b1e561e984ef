import { type FieldNode, type GraphQLField, getArgumentValues, Kind } from 'graphql'
import { Refusal } from '../../../ground/errors.ts'
import { LARGEST_PAGE, PAGE_SIZE } from './page-size.ts'

/**
 * How many rows a field is answered with at most, when it is run with these variables; null for what has no pages.
 * @param variables coerced
 * @throws Refusal `graphql_too_complex`; GraphQLError for arguments that do not fit
 */
export function readPageSize(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  variables: Readonly<Record<string, unknown>>,
): number | null {
  if (!field.args.some(({ name }) => name === 'first')) return null
  const values = getArgumentValues(field, node, variables)
  const { first, last } = values
  if (values['offset'] != null && Number(values['offset']) < 0)
    throw tooComplex('An offset is 0 or more.')
  // That `first` has a default is no question for the first ones.
  if (typeof last === 'number' && typeof first === 'number' && isGiven(node, 'first', variables))
    throw tooComplex('A page is either the first or the last.')
  const size = typeof last === 'number' ? last : typeof first === 'number' ? first : PAGE_SIZE
  if (size < 0 || size > LARGEST_PAGE) throw tooComplex(`A page has ${LARGEST_PAGE} rows at most.`)
  return size
}

function isGiven(
  { arguments: given = [] }: FieldNode,
  name: string,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  const value = given.find((argument) => argument.name.value === name)?.value
  if (value === undefined) return false
  return value.kind !== Kind.VARIABLE || value.name.value in variables
}

const tooComplex = (detail: string): Refusal => new Refusal('graphql_too_complex', { detail })
