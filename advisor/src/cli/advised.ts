import type pg from 'pg'
import type { Finding } from '../lint/finding.ts'
import type { Names } from '../names.ts'

/** A command line that asks the advisor's questions: its own, or another tool's that has them among its commands. */
export interface Advised {
  /** What people type before a command: `pie`. */
  program: string
  /** What a command's argument says of the database, where it takes one. */
  address?: { flags: string; description: string }
  /** Works on the database, as a role that may read its catalog and act as others. */
  onDatabase<T>(address: string | undefined, work: (client: pg.Client) => Promise<T>): Promise<T>
  names: Names
  /** What else is wrong with the database, as the tool around these commands knows: lint and exposure name it too. */
  alsoFound?(client: pg.Client): Promise<Finding[]>
}

/** Prints what a command found: as one line of JSON for programs, in words for people. */
export function print(data: object, words: string, { json = false }: { json?: boolean }): void {
  process.stdout.write(`${json ? JSON.stringify(data) : words}\n`)
}

export const jsonOption = ['--json', 'print JSON, for programs'] as const
