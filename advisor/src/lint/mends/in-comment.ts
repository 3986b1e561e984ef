import { printable } from '../../printable.ts'

/**
 * Text of the database's, for a comment that has begun: the text of an expression, a setting, SQL that somebody is to
 * decide about. Its lines are lines of the comment. A comment of SQL ends at a carriage return too.
 */
export const inComment = (text: string): string =>
  printable(text.replaceAll(/\r\n?/g, '\n')).replaceAll('\n', '\n-- ')
