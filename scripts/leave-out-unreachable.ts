import { globSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

interface Package {
  exports: Record<string, string | { types?: string }>
}

/**
 * Removes the declarations that nobody who uses a package comes to: those that none of its exports leads to. Of some four
 * hundred small files the others are most, and each takes a block of the disk.
 */
export function leaveOutUnreachable(directory: string): void {
  const { exports } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Package
  const reached = new Set<string>()
  const reach = (path: string): void => {
    if (reached.has(path)) return
    reached.add(path)
    for (const [, imported = ''] of readFileSync(path, 'utf8').matchAll(leads))
      reach(resolve(path, '..', imported.replace(/\.js$/, '.d.ts')))
  }
  for (const entry of Object.values(exports))
    if (typeof entry === 'object' && entry.types !== undefined) reach(join(directory, entry.types))
  for (const file of globSync('dist/**/*.d.ts', { cwd: directory }))
    if (!reached.has(join(directory, file))) rmSync(join(directory, file))
}

/** `from './a.js'`, `import './a.js'` and `import('./a.js')`. */
const leads = /(?:from |import |import\()['"](\.{1,2}\/[^'"\n]+)['"]/g
