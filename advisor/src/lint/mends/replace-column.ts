/**
 * In the text of an expression, of `m.team_id = m.team_id` the second half by what it was to be. Postgres writes the table
 * before each column in a sub-select.
 */
export function replaceColumn(text: string, column: string, by: string): string {
  const name = String.raw`(?:"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*)`
  const quoted = column.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  // A literal is passed over as it is.
  const pattern = new RegExp(
    String.raw`'(?:[^']|'')*'|((${name})\.${quoted}((?:\)*::[\w ]+)?\)* (?:=|<>|<=|>=|<|>) \(*))\2\.${quoted}(?![\p{L}\p{N}_$])`,
    'gu',
  )
  return text.replaceAll(pattern, (whole, left: string | undefined) =>
    left === undefined ? whole : `${left}${by}`,
  )
}
