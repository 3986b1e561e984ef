/** What a test has started outside this process and has not stopped: ended when this process ends, however it does. */
const leftovers = new Set<() => void>()

process.once('exit', () => {
  for (const end of leftovers) {
    try {
      end()
    } catch {
      // It is gone already, and the others still have to go.
    }
  }
})

/** Returns what takes it back, for when it has been stopped. */
export function atExit(end: () => void): () => void {
  leftovers.add(end)
  return () => void leftovers.delete(end)
}
