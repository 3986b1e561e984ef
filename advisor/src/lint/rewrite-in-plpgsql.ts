import { mayHaveMoreRows, onlyStatementOf } from './body-text.ts'

/** A function in language sql. */
export interface SqlFunction {
  /** As pg_get_functiondef prints it. */
  definition: string
  /** Its body, where that is a text. */
  source: string
  /** Its body, where that is standard SQL: `RETURN …` or `BEGIN ATOMIC …`. */
  standard_body: string | null
  returns_set: boolean
  has_arguments: boolean
  /** Of the columns of its answer; null where a row is the answer, or its type depends on the call. */
  column_types: string[] | null
}

/** The query that is all of a function, or null. */
export function queryOfFunction({ source, standard_body: body }: SqlFunction): string | null {
  if (body === null) return onlyStatementOf(source)
  const returned = /^RETURN\s([\s\S]*)$/.exec(body)?.[1]
  if (returned !== undefined) return `select ${returned.trim()}`
  const [, atomic] = /^BEGIN ATOMIC([\s\S]*)END$/.exec(body) ?? []
  return onlyStatementOf(atomic ?? '')
}

/**
 * The same function in plpgsql, as SQL, or null where its text does not show how to write it. It answers the same:
 * with the first row where one value is asked for, and with each column as what the function says that it is, both
 * of which language sql does by itself. A name that is a column's and an argument's is the column's, as it was.
 */
export function rewriteInPlpgsql(rewritten: SqlFunction): string | null {
  const query = queryOfFunction(rewritten)
  const { column_types: types } = rewritten
  if (query === null || types === null || /^\s*(insert|update|delete|merge)\b/i.test(query))
    return null
  const statement = rewritten.returns_set ? returnRows(query, types) : returnValue(query)
  const conflicts = rewritten.has_arguments ? '\n#variable_conflict use_column' : ''
  const tag = findTag(statement)
  return `${headOf(rewritten)}AS ${tag}${conflicts}\nbegin\n  ${statement}\nend\n${tag};`
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

/** The definition up to its body. */
function headOf({ definition, source, standard_body: body }: SqlFunction): string {
  const text = definition.trimEnd()
  const [tag = ''] = /\$function\w*\$$/.exec(text) ?? []
  const length = body === null ? `AS ${tag}${source}${tag}`.length : body.length
  return text.slice(0, -length).replace(/^ LANGUAGE sql/m, ' LANGUAGE plpgsql')
}

function findTag(statement: string): string {
  let name = 'function'
  while (statement.includes(`$${name}$`)) name += 'x'
  return `$${name}$`
}
