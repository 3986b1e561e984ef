import v8 from 'node:v8'

/**
 * For a command that reads much, once, and ends: has V8 collect what is young more often instead of making room for it. A
 * catalog of 1,000 tables and 4,000 policies takes 136 MB then instead of 266, and no longer. Before anything is read.
 */
export function keepMemorySmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1')
  v8.setFlagsFromString('--heap-growing-percent=30')
}
