/** The only reader of process.env, and of `.env`. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { OperatorError } from '../ground/errors.ts'

// Read by a library when it is loaded, which warns where it is missing.
process.env['GRAPHILE_ENV'] ??= 'production'

export type Environment = Record<string, string | undefined>

/**
 * The environment, with what `.env` in the working directory adds to it.
 * @param isShared whether the file is an application's, in which others may read what Pie does not
 * @throws OperatorError for a `.env` that is there and cannot be read
 */
export function readEnvironment({ isShared = false }: { isShared?: boolean } = {}): Environment {
  return { ...readEnvFile(isShared), ...process.env }
}

function readEnvFile(isShared: boolean): Environment {
  let bytes: Buffer
  try {
    bytes = readFileSync('.env')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    const why = code === 'EISDIR' ? 'it is a directory' : `may this user read it? (${code})`
    throw new OperatorError(`.env cannot be read: ${why}`, { cause })
  }
  const text = decode(bytes)
  if (!isShared) checkLines(text)
  return parseEnv(text)
}

/** Editors and shells of Windows write a byte-order mark, which is left out, or UTF-16, where every other byte is 0. */
function decode(bytes: Buffer): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new OperatorError('.env cannot be read as UTF-8: save it in that encoding.', { cause })
  }
  if (text.includes('\0'))
    throw new OperatorError('.env cannot be read as UTF-8: save it in that encoding.')
  return text
}

/** A line that says nothing is one that was meant to: `DATABASE_URL postgres://…`, or `DATABASE_URL: …`. */
function checkLines(text: string): void {
  let quote = ''
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (quote !== '') {
      if (line.includes(quote)) quote = ''
      continue
    }
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/.exec(line) ?? []
    if (name === undefined && !/^\s*(#|$)/.test(line))
      throw new OperatorError(
        `Line ${index + 1} of .env is no NAME=value, and nobody would read it.`,
      )
    const [opening = ''] = /^["'`]/.exec(value) ?? []
    if (opening !== '' && !value.slice(1).includes(opening)) quote = opening
  }
  if (/\r(?!\n)/.test(text))
    throw new OperatorError(
      '.env has line ends that nobody reads: save it with those of Unix or Windows.',
    )
}
