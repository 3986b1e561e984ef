import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Secret } from '../crypto/secret.ts'

const ITERATIONS = 4096

/**
 * What Postgres stores of a password (RFC 5802 section 3, RFC 7677), made here so that the password
 * itself is in no statement that the server might log.
 */
export function scramVerifier(password: Secret): string {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password.reveal(), salt, ITERATIONS, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
