/**
 * Preloaded by test/run.ts into the process of every test file: the process ends, whatever has been left
 * open, and has failed if it would not have ended by itself. A `before` that fails halfway leaves open what
 * it has made so far, and nobody holds it in hand any more to close it.
 */
import { after, type TestContext } from 'node:test'

/** For all of a file, several times what the slowest takes on a busy machine. */
const FILE_MS = 600_000
/** For the hooks that close what the tests have used. */
const CLOSING_MS = 60_000
/** For what ends by itself once all has been closed. */
const LINGERING_MS = 10_000

const limits: NodeJS.Timeout[] = []

/** Limits what is going on from now on, and nothing before it. */
function limit(milliseconds: number, what: string): void {
  for (const earlier of limits.splice(0)) clearTimeout(earlier)
  const timer = setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout')
    process.stderr.write(
      `${process.argv[1]}: ${what} after ${milliseconds / 1000} s, and is ended. Open: ${open.join(', ')}.\n`,
    )
    // Not a signal: what the harness has started is ended at 'exit'.
    process.exit(1)
  }, milliseconds)
  limits.push(timer.unref())
}

limit(FILE_MS, 'it was still being tested')
after((context) => {
  limit(CLOSING_MS, 'it was still being closed')
  // The first hook is this one; what it registers comes last.
  ;(context as TestContext).after(() => limit(LINGERING_MS, 'it had left something open'))
})
