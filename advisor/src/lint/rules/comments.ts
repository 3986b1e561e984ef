import type { Catalog } from '../../catalog/catalog.ts'
import { askedRelations, grantsOn, relationInWords } from '../rights/relation-grants.ts'
import type { Rule } from '../rule.ts'

interface Commentable {
  /** As `comment on` calls it. */
  object: string
  /** Without its kind. */
  name: string
  comment: string | null
  /** That somebody was granted it. */
  isGranted: boolean
}

/** A partition says what its table says. */
function* commentable(catalog: Catalog): Generator<Commentable> {
  const schemas = new Set<number>()
  for (const relation of askedRelations(catalog)) {
    schemas.add(relation.schema.oid)
    if (relation.kind === 'S' || relation.isPartition) continue
    const { sql: name, comment, columns } = relation
    const isGranted = grantsOn(relation).length > 0
    yield { object: relationInWords(relation), name, comment, isGranted }
    for (const column of columns) {
      const of = `${name}.${column.sql}`
      yield { object: `column ${of}`, name: of, comment: column.comment, isGranted }
    }
  }
  for (const {
    isAsked,
    kind,
    sql: name,
    comment,
    schema,
    acl,
    owner,
  } of catalog.functions.values()) {
    if (!isAsked) continue
    schemas.add(schema.oid)
    const isGranted = acl.some(({ grantee }) => grantee !== owner)
    yield {
      object: `${kind === 'window function' ? 'function' : kind} ${name}`,
      name,
      comment,
      isGranted,
    }
  }
  for (const { oid, sql: name, comment } of catalog.schemas.values())
    if (schemas.has(oid)) yield { object: `schema ${name}`, name, comment, isGranted: false }
}

/** A name may hold a line break, after which a comment would be none. */
const inLine = (text: string): string => text.replaceAll(/[\r\n]/g, ' ')

export const withoutComment: Rule = {
  name: 'without-comment',
  weight: 'style',
  why:
    'Comments are the documentation that GraphQL and other tools show: what has none is known to ' +
    'nobody but its author.',
  find: (catalog) =>
    [...commentable(catalog)]
      .filter(({ comment }) => comment === null)
      .map(({ object, name }) => ({
        object,
        // What it is, somebody has to say: without a word of theirs there is nothing to run.
        mend: `-- to be written: what ${inLine(name)} is\n-- comment on ${inLine(object)} is '…';`,
      })),
}

/** @omit hides; @behavior with a minus takes away. What only adds or renames is no permission. */
const permission = /^[ \t]*@(?:omit\b.*|behaviou?r\b.*[ \t]-\S.*)(?:\n|$)/gm

const constraintComments = (catalog: Catalog): Commentable[] =>
  askedRelations(catalog).flatMap((relation) =>
    relation.constraints.map(({ sql, comment }) => ({
      ...{ object: `constraint ${sql} on ${relation.sql}`, name: sql, comment, isGranted: false },
    })),
  )

export const permissionInComment: Rule = {
  name: 'permission-in-comment',
  weight: 'leak',
  why:
    'A smart comment hides from GraphQL alone what REST, SQL and the next tool still show: who may do ' +
    'what is said by grants and policies.',
  find: (catalog) =>
    [...commentable(catalog), ...constraintComments(catalog)].flatMap(
      ({ object, comment, isGranted }) => {
        const rest = comment?.replaceAll(permission, withoutRefusals).trimEnd()
        if (rest === undefined || rest === comment?.trimEnd()) return []
        const text = rest === '' ? 'null' : literal(rest)
        const advice = '-- and revoke what it hid from those who should not have it\n'
        return {
          object,
          // What nobody is granted, nobody else shows either.
          ...(isGranted ? {} : { weight: 'style' as const }),
          mend: `${advice}comment on ${object} is ${text};`,
        }
      },
    ),
}

/** What a line of permissions adds is kept. */
function withoutRefusals(line: string): string {
  const added = line.match(/[ \t]\+\S+/g)
  return added === null ? '' : `@behavior${added.join('')}${line.endsWith('\n') ? '\n' : ''}`
}

const literal = (text: string): string =>
  `${text.includes('\\') ? 'E' : ''}'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
