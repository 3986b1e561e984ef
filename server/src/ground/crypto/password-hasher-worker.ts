/** Runs in the threads of `password-hasher.ts`. */
import { randomBytes } from 'node:crypto'
import { setPriority } from 'node:os'
import { hashSync, verifySync } from '@node-rs/argon2'
import type { ZxcvbnFactory } from '@zxcvbn-ts/core'

// On Linux a thread has a priority of its own; elsewhere this would slow down the whole process.
if (process.platform === 'linux') setPriority(0, 10)

/** OWASP Password Storage Cheat Sheet: argon2id (which the library numbers 2), 19 MiB, two passes, one lane. */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** What a password is compared with where there is none, so that it takes the same time. */
const nobodysHash = hashSync(randomBytes(32), parameters)

export function hash({ password }: { password: Uint8Array }): string {
  return hashSync(password, parameters)
}

export function verify({ password, hash }: { password: Uint8Array; hash: string | null }): boolean {
  const matches = verifySync(hash ?? nobodysHash, password)
  return hash !== null && matches
}

let estimator: ZxcvbnFactory | undefined

/** Reading a long password for patterns takes long and finds nothing more: its beginning is judged. */
const JUDGED_CHARACTERS = 64

export async function judge({
  password,
  ownWords,
}: {
  password: Uint8Array
  ownWords: string[]
}): Promise<number> {
  estimator ??= await loadEstimator()
  const beginning = Buffer.from(password).toString('utf8').slice(0, JUDGED_CHARACTERS)
  return estimator.check(beginning, ownWords).score
}

/** The word lists take some 100 ms and 20 MB, so they come with the first password to be judged. */
async function loadEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ])
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
    // Each way to read a password as l33t is tried: the default of 100 takes up to a second.
    l33tMaxSubstitutions: 10,
  })
}
