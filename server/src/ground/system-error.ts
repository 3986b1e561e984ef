import { OperatorError } from './errors.ts'

const reasons: Record<string, string> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no space left',
  ENOTDIR: 'a file is where a directory has to be',
  EISDIR: 'a directory is where a file has to be',
  EEXIST: 'something else is there',
  ENOENT: 'it is not there',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
}

/** What the file system refused, in a sentence; null for any other error. */
export function describeSystemError(error: unknown): string | null {
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || typeof syscall !== 'string' || typeof path !== 'string')
    return null
  return `Could not ${syscall} ${path}: ${reasons[code] ?? 'the system refused'} (${code}).`
}

/**
 * Works with files of the operator's.
 * @param advice what to do about a refusal
 * @throws OperatorError for what the file system refuses
 */
export async function withFiles<T>(advice: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const what = describeSystemError(cause)
    throw what === null ? cause : new OperatorError(`${what} ${advice}`, { cause })
  }
}
