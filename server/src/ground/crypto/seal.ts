import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Secret } from './secret.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Encrypts with AES-256-GCM: nonce, tag, ciphertext. `context` must be the same to open it. */
export function seal(key: Secret, plain: Secret, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.revealKey(), nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plain.reveal()), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

/** Opens what `seal` made, or returns null when the key or the context is another. */
export function unseal(key: Secret, sealed: Buffer, context: string): Secret | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key.revealKey(), nonce, {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(tag)
  try {
    const opened = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES))
    return Secret.fromBytes(Buffer.concat([opened, decipher.final()]))
  } catch {
    return null
  }
}
