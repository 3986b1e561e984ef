import { relations, routines, schemas } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

/** A partition says what its table says. */
const commentable = `(
  select 'schema' as kind, name as name, 'schema ' || name as object, obj_description(oid, 'pg_namespace') as comment
  from ${schemas} as s
  union all
  select kind, name, kind || ' ' || name, obj_description(oid, 'pg_class')
  from ${relations} as r
  where relkind <> 'S' and not relispartition
  union all
  select 'column', format('%s.%I', name, attname), format('column %s.%I', name, attname), col_description(r.oid, attnum)
  from ${relations} as r join pg_attribute on attrelid = r.oid and attnum > 0 and not attisdropped
  where relkind <> 'S' and not relispartition
  union all
  select kind, name, kind || ' ' || name, obj_description(oid, 'pg_proc')
  from ${routines} as f
)`

export const withoutComment: Rule = {
  name: 'without-comment',
  why:
    'Comments are the documentation that GraphQL and other tools show: what has none is known to ' +
    'nobody but its author.',
  query: `
    select object, format('comment on %s is %L;', object, 'To be written: what ' || name || ' is.') as mend
    from ${commentable} as c
    where comment is null`,
}

const constraintComments = `
  select format('constraint %I on %s', conname, name) as object, obj_description(pg_constraint.oid, 'pg_constraint') as comment
  from ${relations} as r join pg_constraint on conrelid = r.oid`

/** @omit hides; @behavior with a minus takes away. What only adds or renames is no permission. */
const permission = /^[ \t]*@(?:omit\b.*|behaviou?r\b.*[ \t]-\S.*)(?:\n|$)/gm

interface Commented {
  object: string
  comment: string
}

export const permissionInComment: Rule = {
  name: 'permission-in-comment',
  why:
    'A smart comment hides from GraphQL alone what REST, SQL and the next tool still show: who may do ' +
    'what is said by grants and policies.',
  query: `
    select object, comment from ${commentable} as c where comment ~ '@(omit|behaviou?r)'
    union all
    select object, comment from (${constraintComments}) as c where comment ~ '@(omit|behaviou?r)'`,
  read: ({ object, comment }: Commented) => {
    const rest = comment.replaceAll(permission, withoutRefusals).trimEnd()
    if (rest === comment.trimEnd()) return []
    const text = rest === '' ? 'null' : literal(rest)
    return [
      {
        object,
        mend: `-- and revoke what it hid from those who should not have it\ncomment on ${object} is ${text};`,
      },
    ]
  },
}

/** What a line of permissions adds is kept. */
function withoutRefusals(line: string): string {
  const added = line.match(/[ \t]\+\S+/g)
  return added === null ? '' : `@behavior${added.join('')}${line.endsWith('\n') ? '\n' : ''}`
}

const literal = (text: string): string =>
  `${text.includes('\\') ? 'E' : ''}'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
