import pg from 'pg'
import type { Setting } from './read-database-roles.ts'

export interface Statement {
  text: string
  /** What an operator is shown of it, where that is not all. */
  shown: string
}

/** Their values are lists of names, each of which is quoted by itself. */
const lists =
  /^(search_path|temp_tablespaces|(session|shared|local)_preload_libraries|unix_socket_directories)$/

/**
 * Sets settings of a role or a database again, as its catalog keeps them.
 * @param subject such as `role "reader"`
 */
export function settingStatements(subject: string, settings: readonly Setting[]): Statement[] {
  return settings.map(({ name, value }) => {
    const beginning = `alter ${subject} set ${name.split('.').map(pg.escapeIdentifier).join('.')} to `
    const values = lists.test(name) ? namesIn(value) : [value]
    return {
      text: `${beginning}${values.map(pg.escapeLiteral).join(', ')}`,
      // An application may keep a secret there.
      shown: `${beginning}… (its value is in pie-backup.json)`,
    }
  })
}

/** `"$user", public` as its names. An empty list is the one name that is empty. */
function namesIn(value: string): string[] {
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^,\s"]+/g)]
  if (names.length === 0) return ['']
  return names.map(([bare, quoted]) => quoted?.replaceAll('""', '"') ?? bare)
}
