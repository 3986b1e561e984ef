/** What a report of progress is written to: standard error, where it is a terminal. */
export interface ProgressScreen {
  isTTY?: boolean
  write(text: string): unknown
}

export interface Progress {
  /** For `onProgress` of a question. */
  tell(done: number, of: number): void
  /** Takes the line away. */
  end(): void
}

/** A question that is answered sooner needs no line. */
const SILENT_MS = 2000

/** How often the line is written anew, at most. */
const PAUSE_MS = 100

/**
 * One line on a terminal, rewritten, for a question that takes long; nothing anywhere else.
 * @param what what is being done: `Linting`
 */
export function showProgress(
  what: string,
  screen: ProgressScreen = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  if (screen.isTTY !== true) return { tell: () => {}, end: () => {} }
  const begin = now()
  let written = Number.NEGATIVE_INFINITY
  let share = ''
  const write = () => {
    const at = now()
    if (at - begin < SILENT_MS || at - written < PAUSE_MS) return
    written = at
    screen.write(`\r\u001b[K${what}${share} … ${Math.floor((at - begin) / 1000)} s`)
  }
  // While the database is waited for, nobody tells anything; while rules are asked, no timer comes to its turn.
  const timer = setInterval(write, SILENT_MS / 4)
  timer.unref()
  return {
    tell: (done, of) => {
      share = of > 0 ? ` ${Math.floor((done / of) * 100)} %` : ''
      write()
    },
    end: () => {
      clearInterval(timer)
      if (written > begin) screen.write('\r\u001b[K')
    },
  }
}
