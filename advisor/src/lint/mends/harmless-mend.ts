import { onOneLine, printable } from '../../printable.ts'

/**
 * A mend as it may be run: whoever names something, or writes a policy, must not write the SQL of whoever mends it. What a
 * name could do with a line break is end a comment, and begin a statement, or a command of psql.
 * @param oddNames names that hold what is no sign to be seen (`oddNamesIn`)
 */
export function harmlessMend(object: string, mend: string, oddNames: readonly string[]): string {
  const isOdd = oddNames.some(
    (name) =>
      mend.includes(`"${name.replaceAll('"', '""')}"`) ||
      // One of a sign or two would be found everywhere.
      (name.length > 2 && (mend.includes(name) || mend.includes(name.replaceAll("'", "''")))),
  )
  if (isOdd)
    return `-- to be mended by hand: a name in it holds a line break, or another sign that is not seen. ${onOneLine(object)}`
  return mend.replaceAll(parts, (part) => (part.startsWith('--') ? printable(part) : part))
}

/** Comments, and what is none though it looks like one: literals, quoted names and bodies. */
const parts =
  /--[^\n]*|\b[eE]'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<!\w)(\$(?:[a-zA-Z_]\w*)?\$)[\s\S]*?\1/g
