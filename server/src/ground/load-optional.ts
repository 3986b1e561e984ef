import { OperatorError } from './errors.ts'
import { ownPackage } from './own-package.ts'

/**
 * Loads what is heavy and comes in packages of its own, when it is first used.
 *
 * @param what needs it: begins the sentence "… needs packages that are not installed"
 * @param packages what to install, of Pie's optional peer dependencies
 * @throws OperatorError with the line that installs them, where one is missing
 */
export async function loadOptional<T>(
  what: string,
  packages: readonly string[],
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause
    const installing = packages.map((name) => `"${name}@${ownPackage.peerDependencies[name]}"`)
    const count = packages.length === 1 ? 'a package that is' : 'packages that are'
    throw new OperatorError(
      `${what} needs ${count} not installed: npm install ${installing.join(' ')}`,
      { cause },
    )
  }
}

/** A package, and none of Pie's own files. */
function isMissingPackage(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  return (
    ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(code) &&
    /Cannot find (package|module) '[^./]/.test(message)
  )
}
