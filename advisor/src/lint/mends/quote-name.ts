/** A name as SQL writes it. Quoted also where that is not needed but for a key word: which those are, only Postgres knows. */
export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.has(name) ? name : `"${name.replaceAll('"', '""')}"`

/** Those that are no names of functions or columns. */
const reserved = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization between binary both case cast check coalesce ' +
    'collate collation column concurrently constraint create cross current_catalog current_date current_role ' +
    'current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except ' +
    'exists extract false fetch for foreign freeze from full grant greatest group grouping having ilike in initially ' +
    'inner intersect into is isnull join lateral leading least left like limit localtime localtimestamp natural ' +
    'normalize not notnull null nullif offset on only or order outer overlaps overlay placing position primary ' +
    'references returning right row select session_user setof similar some substring symmetric system_user table ' +
    'tablesample then to trailing treat trim true union unique user using values variadic verbose when where window with xmlforest'
  ).split(' '),
)
