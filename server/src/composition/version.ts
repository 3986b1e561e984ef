import { createRequire } from 'node:module'

/** Pie's own, from the package that this file is in, as TypeScript or built. */
export const version: string = createRequire(import.meta.url)('#package.json').version
