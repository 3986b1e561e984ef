import pg from 'pg'
import { splitStatements } from './split-statements.ts'

/** Runs a file of SQL, and counts its statements as they are done. */
export function watchStatements(client: pg.Client): {
  run(sql: string): Promise<void>
  done(): number
} {
  let done = 0
  const count = () => {
    done += 1
  }
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
  return {
    run: async (sql) => {
      connection.on('commandComplete', count)
      try {
        await client.query(sql)
      } finally {
        connection.off('commandComplete', count)
      }
    },
    done: () => done,
  }
}

/**
 * What was wrong in a file of SQL, and under it where: the line of the file and what is there.
 * @param done how many of its statements had been done: not every error has a place of its own
 */
export function describeSqlError(
  error: unknown,
  { sql, file }: { sql: string; file: string },
  done: number,
): string {
  const { message } = error as Error
  if (!(error instanceof pg.DatabaseError)) return `${message}\n  ${file}`
  const { position, detail, hint, where } = error
  const offset =
    position === undefined ? (splitStatements(sql)[done] ?? 0) : offsetOf(sql, Number(position) - 1)
  const line = sql.slice(0, offset).split('\n').length
  const inside = where?.split('\n')[0]
  return [
    `${message}${hint ? ` (${hint})` : ''}`,
    ...(detail ? [detail] : []),
    ...(inside ? [`in ${inside}`] : []),
    `${file}:${line}`,
    `  ${sql.split('\n')[line - 1]?.trim() ?? ''}`,
  ].join('\n  ')
}

/** Postgres counts characters, and JavaScript the halves of some. */
const offsetOf = (text: string, characters: number): number =>
  [...text].slice(0, characters).join('').length
