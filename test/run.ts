/** `npm test`: every test there is, or the files that are named. Ends with a line that counts them. */
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const patterns = [
  'database/test/**/*.test.ts',
  'server/src/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'test/**/*.test.ts',
]
const named = process.argv.slice(2)
const files = named.length > 0 ? named : globSync(patterns)

let passed = 0
let failed = 0
const options: Parameters<typeof run>[0] & { globalSetupPath: string } = {
  files,
  concurrency: 2,
  globalSetupPath: fileURLToPath(new URL('./harness/global-setup.ts', import.meta.url)),
}
const stream = run(options)
stream.on('test:pass', ({ details, skip, todo }) => {
  if (details.type !== 'suite' && !skip && !todo) passed += 1
})
stream.on('test:fail', ({ details }) => {
  if (details.type !== 'suite') failed += 1
})
stream.compose(spec).pipe(process.stdout)
stream.once('close', () => {
  // A run that found nothing to run has not passed.
  if (passed === 0 || failed > 0) process.exitCode = 1
  setImmediate(() => process.stdout.write(`${passed} passed, ${failed} failed\n`))
})
