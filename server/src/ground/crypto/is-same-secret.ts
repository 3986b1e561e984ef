import { hash, timingSafeEqual } from 'node:crypto'
import type { Secret } from './secret.ts'

/** Whether a text is this secret. How long that takes says nothing of where they differ, nor of how long it is. */
export function isSameSecret(secret: Secret, given: string): boolean {
  const digest = (bytes: Buffer) => hash('sha256', bytes, 'buffer')
  return timingSafeEqual(digest(secret.reveal()), digest(Buffer.from(given)))
}
