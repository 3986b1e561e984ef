import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Piscina } from 'piscina'
import { createDurations, type ReadDurations } from '../durations.ts'
import { OperatorError, Refusal } from '../errors.ts'
import type { Secret } from './secret.ts'

/** What a password is to be judged with, besides the lists of common ones: the user's own words. */
export interface GuessingContext {
  password: Secret
  ownWords: string[]
}

/**
 * Hashes and judges passwords in threads of its own, as many as there are cores and at a lower priority
 * than the thread that answers requests. A storm of sign-ins therefore takes the time that is left
 * over, a fixed amount of memory (19 MiB a thread), and a queue of fixed length; whoever comes when the
 * queue is full is told to come again (`busy`).
 */
export interface PasswordHasher {
  /** An argon2id hash in PHC form. */
  hash(password: Secret): Promise<string>
  /** Whether the password is the one that was hashed. With null it is not, and that takes as long. */
  verify(password: Secret, hash: string | null): Promise<boolean>
  /** How hard the password is to guess: 0 (a common one) to 4. */
  judge(context: GuessingContext): Promise<number>
  status(): HasherStatus
  close(): Promise<void>
}

export interface HasherStatus {
  /** How many there may be. */
  threads: number
  running: number
  waiting: number
  /** How many were told to come again, because the queue was full. */
  refused: number
  /** By what was to be done: from when it was asked for to its answer. */
  took: Record<Task, ReadDurations>
}

type Task = 'hash' | 'verify' | 'judge'

/** How many may wait for each thread. At 12 ms a hash (`npm run bench`), the last waits under a second. */
const WAITING_PER_THREAD = 64

/** @throws OperatorError where argon2 has no binary here */
export function createPasswordHasher(threads = availableParallelism()): PasswordHasher {
  checkArgon2()
  const workers = new Piscina({
    // As TypeScript in the repository, built in a package.
    filename: new URL(`./password-hasher-worker${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 60_000,
    maxQueue: threads * WAITING_PER_THREAD,
  })
  let refused = 0
  let ongoing = 0
  const took = { hash: createDurations(), verify: createDurations(), judge: createDurations() }
  const run = async (task: Record<string, unknown>, name: Task) => {
    const beganMs = performance.now()
    ongoing += 1
    try {
      const result = await workers.run(task, { name })
      took[name].observe(performance.now() - beganMs)
      return result
    } catch (cause) {
      if (!isQueueFull(cause)) throw cause
      refused += 1
      throw new Refusal('busy', { retryAfterSeconds: 2, cause })
    } finally {
      ongoing -= 1
    }
  }
  return {
    hash: (password) => run({ password: password.reveal() }, 'hash'),
    verify: (password, hash) => run({ password: password.reveal(), hash }, 'verify'),
    judge: ({ password, ownWords }) => run({ password: password.reveal(), ownWords }, 'judge'),
    status: () => ({
      threads,
      running: ongoing - workers.queueSize,
      waiting: workers.queueSize,
      refused,
      took: { hash: took.hash.read(), verify: took.verify.read(), judge: took.judge.read() },
    }),
    close: () => workers.destroy(),
  }
}

/** Its binary is an optional dependency of it, which npm leaves out when it is told to, and when it runs elsewhere. */
function checkArgon2(): void {
  try {
    createRequire(import.meta.url)('@node-rs/argon2')
  } catch (cause) {
    throw new OperatorError(
      `Passwords are hashed by @node-rs/argon2, whose binary for ${process.platform} on ${process.arch} is not installed. ` +
        'Install without --omit=optional, on the system that runs Pie: npm install --include=optional',
      { cause },
    )
  }
}

function isQueueFull(error: unknown): boolean {
  return error instanceof Error && error.message.includes('queue is at limit')
}
