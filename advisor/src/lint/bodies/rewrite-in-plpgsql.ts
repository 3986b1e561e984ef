import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { isWriting, mayHaveMoreRows, onlyStatementOf } from './query-text.ts'

/** The query that is all of a function in language sql, or null. */
export function queryOfFunction({ source, sqlBody }: Routine): string | null {
  if (sqlBody === null) return onlyStatementOf(source ?? '')
  const returned = /^RETURN\s([\s\S]*)$/.exec(sqlBody.text)?.[1]
  if (returned !== undefined) return `select ${returned.trim()}`
  const [, atomic] = /^BEGIN ATOMIC([\s\S]*)END$/.exec(sqlBody.text) ?? []
  return onlyStatementOf(atomic ?? '')
}

/**
 * The same function in plpgsql, as SQL, or null where its text does not show how to write it. It answers the same:
 * with the first row where one value is asked for, and with each column as what the function says that it is, both
 * of which language sql does by itself. A name that is a column's and an argument's is the column's, as it was.
 */
export function rewriteInPlpgsql(catalog: Catalog, routine: Routine): string | null {
  const query = queryOfFunction(routine)
  const types = answerTypesOf(catalog, routine)
  if (query === null || types === null || isWriting(query)) return null
  const statement = routine.returnsSet ? returnRows(query, types) : returnValue(query)
  const conflicts = routine.argumentTypes.length > 0 ? '\n#variable_conflict use_column' : ''
  const head = headOf(routine).replace(/^ LANGUAGE sql/m, ' LANGUAGE plpgsql')
  return `${head}AS ${quoteBody(`${conflicts}\nbegin\n  ${statement}\nend\n`)};`
}

/** Of the columns of its answer; null where a row is the answer, or its type depends on the call. */
function answerTypesOf({ types }: Catalog, { answerTypes, returns, returnsSet }: Routine) {
  if (answerTypes !== null)
    return returnsSet ? answerTypes.map((type) => types.get(type)?.sql ?? '') : null
  const type = types.get(returns)
  return type === undefined || type.kind === 'c' || type.kind === 'p' ? null : [type.sql]
}

function returnValue(query: string): string {
  return `return (\n    ${query}${mayHaveMoreRows(query) ? '\n    limit 1' : ''}\n  );`
}

function returnRows(query: string, types: string[]): string {
  const names = types.map((_, place) => `column_${place + 1}`)
  const columns = types.map((type, place) => `answer.${names[place]}::${type}`)
  return (
    `return query\n    select ${columns.join(', ')} from (\n    ${query}\n` +
    `    ) as answer (${names.join(', ')});`
  )
}

/** The definition up to its body. Leakproof, a superuser has to say again. */
export function headOf({ definition, source, sqlBody }: Routine): string {
  const text = (definition ?? '').trimEnd()
  const [tag = ''] = /\$\w*\$$/.exec(text) ?? []
  const length = sqlBody === null ? `AS ${tag}${source}${tag}`.length : sqlBody.text.length
  return text.slice(0, -length).replace(/^( [A-Z ]*?) ?LEAKPROOF\b/m, '$1')
}

/** A body between dollars that are not in it. */
export function quoteBody(body: string): string {
  let name = 'function'
  while (body.includes(`$${name}$`)) name += 'x'
  return `$${name}$${body}$${name}$`
}
