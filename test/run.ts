/**
 * `npm test`: every test there is, or the files that are named. Always ends, with a line that counts them:
 * a file that does not is ended and has failed (harness/end-of-file.ts).
 */
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const patterns = [
  'advisor/src/**/*.test.ts',
  'database/test/**/*.test.ts',
  'server/src/**/*.test.ts',
  'examples/*/test/**/*.test.ts',
  'test/**/*.test.ts',
]
/** Begun first, so that none of them is left alone at the end: each takes several times what others take. */
const slowest = ['backup', 'backup-dump', 'doctor', 'process', 'version-before'].map(
  (name) => `test/journeys/${name}.test.ts`,
)
const named = process.argv.slice(2)
const all = globSync(patterns)
const rank = (file: string): number => (slowest.includes(file) ? 0 : 1)
const files = named.length > 0 ? named : all.sort((one, other) => rank(one) - rank(other))

/** For a file that cannot end itself, because it never comes to its own timers: longer than it has for that. */
const STUCK_MS = 720_000
const stuck = new AbortController()
const started = new Map<string, NodeJS.Timeout>()
const seconds = new Map<string, number>()

let passed = 0
let failed = 0
const options: Parameters<typeof run>[0] & { globalSetupPath: string } = {
  files,
  concurrency: 2,
  globalSetupPath: fileURLToPath(new URL('./harness/global-setup.ts', import.meta.url)),
  execArgv: ['--import', new URL('./harness/end-of-file.ts', import.meta.url).href],
  signal: stuck.signal,
}
const stream = run(options)
// Of the files, which are named by their paths, and not of the tests in them.
stream.on('test:dequeue', ({ name, file }) => {
  if (resolve(name) !== file) return
  const abort = () => stuck.abort(new Error(`${name} did not end within ${STUCK_MS / 1000} s`))
  started.set(name, setTimeout(abort, STUCK_MS))
})
stream.on('test:complete', ({ name, file, details }) => {
  if (resolve(name) !== file) return
  clearTimeout(started.get(name))
  seconds.set(name, details.duration_ms / 1000)
})
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
  const longest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, 8)
  const words = longest.map(([name, took]) => `${name} ${Math.round(took)} s`)
  setImmediate(() =>
    process.stdout.write(`longest: ${words.join(', ')}\n${passed} passed, ${failed} failed\n`),
  )
})
