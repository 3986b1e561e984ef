import { stripVTControlCharacters } from 'node:util'
import { quoteName } from '../catalog/quote-name.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'

/** Said of types, and of what has them: that is found, and told by name, when the schema is compared with the catalog. */
const OF_TYPES =
  /^(Couldn't find a '\w+' variant|Could not (build|make)|Failed to get returnPgType)/

const MOST_CHARACTERS = 300

/** What PostGraphile says to the console instead of showing something. */
export function problemsOfWords(text: string): SchemaProblem[] {
  const [line = ''] = stripVTControlCharacters(text).split('\n')
  if (OF_TYPES.test(line)) return []
  const [, schema, table] = /^Enum table "(.*)"\."(.*)" contains no visible/.exec(line) ?? []
  if (schema !== undefined && table !== undefined)
    return [
      {
        kind: 'left-out',
        object: `table ${quoteName(schema)}.${quoteName(table)}`,
        other: null,
        what: 'makes no enum, and columns that refer to it have no field: the role sees no rows of it',
        mend: 'let it have rows, and let everybody read them',
      },
    ]
  return [
    {
      kind: 'left-out',
      object: 'a part of the schema',
      other: null,
      what: `cannot be shown: ${line.slice(0, MOST_CHARACTERS)}`,
      mend: 'look at the comment of what it names, where that has lines that begin with @',
    },
  ]
}
