import v8 from 'node:v8'

/**
 * For a command that reads much, once, and ends: has V8 collect what is young more often instead of making room for it, and let
 * the old grow in small steps. A catalog of 1,000 tables and 4,000 policies takes 190 MB then instead of 290, and hardly longer.
 * Before anything is read.
 */
export function keepMemorySmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1')
  v8.setFlagsFromString('--heap-growing-percent=30')
}

/** Another 30 MB less, for an eighth of the time more: where what is made of the catalog is as large as the catalog. */
export function keepMemorySmallest(): void {
  keepMemorySmall()
  v8.setFlagsFromString('--optimize-for-size')
}
