import { OperatorError } from './errors.ts'
import { ownPackage } from './own-package.ts'

/** What is heavy and not needed by everybody: packages of their own, of Pie's optional peer dependencies. */
export interface OptionalPart {
  /** Who needs them: begins the sentence "… needs packages that are not installed". */
  what: string
  packages: readonly string[]
}

/**
 * Loads an optional part when it is first used.
 * @throws OperatorError with the line that installs it, where it is missing
 */
export async function loadOptional<T>(part: OptionalPart, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw isMissingPackage(cause) ? missing(part, cause) : cause
  }
}

/**
 * Looks, before anything is done, whether optional parts could be loaded.
 * @throws OperatorError with the line that installs it for each that is missing
 */
export function checkInstalled(...parts: OptionalPart[]): void {
  const found = parts.flatMap((part) => {
    try {
      for (const name of part.packages) import.meta.resolve(name)
      return []
    } catch (cause) {
      return [missing(part, cause)]
    }
  })
  const [first, ...others] = found
  if (first === undefined) return
  if (others.length === 0) throw first
  throw new OperatorError(found.map(({ message }) => message).join('\n'), { cause: first.cause })
}

function missing({ what, packages }: OptionalPart, cause: unknown): OperatorError {
  const named = packages.map((name) => `"${name}@${ownPackage.peerDependencies[name]}"`)
  const count = packages.length === 1 ? 'a package that is' : 'packages that are'
  return new OperatorError(`${what} needs ${count} not installed: npm install ${named.join(' ')}`, {
    cause,
  })
}

/** A package, and none of Pie's own files. */
function isMissingPackage(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  return (
    ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(code) &&
    /Cannot find (package|module) '[^./]/.test(message)
  )
}
