const SHARED_MS = 1_000

/** However many ask within a second, it is done once. A failure is shared by those alone who wait for it already. */
export function shareForAWhile<T>(work: () => Promise<T>): () => Promise<T> {
  let shared: { result: Promise<T>; sinceMs: number } | null = null
  return () => {
    const nowMs = performance.now()
    if (shared !== null && nowMs - shared.sinceMs < SHARED_MS) return shared.result
    const begun = { result: work(), sinceMs: nowMs }
    shared = begun
    begun.result.catch(() => {
      if (shared === begun) shared = null
    })
    return begun.result
  }
}
