import { createRequire } from 'node:module'

/** The package that this file is in, as TypeScript or built. */
interface OwnPackage {
  version: string
  peerDependencies: Readonly<Record<string, string>>
}

export const ownPackage: OwnPackage = createRequire(import.meta.url)('#package.json')
