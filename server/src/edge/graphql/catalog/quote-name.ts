/** As it is written in SQL: in quotes where it needs them, but for words that are reserved. */
export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
