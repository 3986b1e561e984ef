import { createRequire } from 'node:module'

/** Pie's own. */
export const version: string = createRequire(import.meta.url)('../package.json').version
