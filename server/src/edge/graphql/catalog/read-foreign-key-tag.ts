interface ForeignKeyTag {
  columns: string[]
  schema: string | null
  table: string
  /** Null for those of the primary key. */
  foreignColumns: string[] | null
}

/** What stands after `@foreignKey`, as PostGraphile reads it. */
export function readForeignKeyTag(text: string): ForeignKeyTag | null {
  const [, columns, first, second, others] =
    /^\(([^()]+)\) references ([^().]+)(?:\.([^().]+))?(?:\s*\(([^()]+)\))?$/i.exec(
      text.split('|')[0] ?? '',
    ) ?? []
  if (columns === undefined || first === undefined) return null
  const read = [columns.split(','), [first], [second ?? ''], (others ?? '').split(',')].map((all) =>
    all.map(unquote),
  )
  const [own = [], [schemaOrTable = ''] = [], [table = ''] = [], foreign = []] = read
  if (read.flat().some((name) => name.startsWith('"'))) return null
  return {
    columns: own,
    schema: second === undefined ? null : schemaOrTable,
    table: second === undefined ? schemaOrTable : table,
    foreignColumns: others === undefined ? null : foreign,
  }
}

function unquote(text: string): string {
  const name = text.trim()
  if (!name.startsWith('"')) return name.toLowerCase()
  return name.endsWith('"') ? name.slice(1, -1) : name
}
