import { createRequire } from 'node:module'

/** What the package that the advisor came in says of itself. */
export const ownPackage = createRequire(import.meta.url)('#package.json') as {
  version: string
  homepage?: string
}
