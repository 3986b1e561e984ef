import { createHmac, hkdfSync } from 'node:crypto'
import { Secret } from './secret.ts'

/**
 * What one value of SECRET_KEY turns into. Each key has one use, so that nothing made for one purpose
 * can be presented for another (RFC 5869, HKDF-SHA256; the label is its `info`).
 */
export interface DerivedKeys {
  /** Proves a session to Postgres: HMAC-SHA256 of its id. */
  sessionProof: Secret
  /** Signs session cookies: HMAC-SHA256 of the session's id. */
  sessionSignature: Secret
  /** Binds CSRF tokens to a session. */
  csrfToken: Secret
  /** Seals what the shared cache keeps (AES-256-GCM). */
  cacheSealing: Secret
  /** Lets the command line ask a running node how it is. */
  operatorToken: Secret
  /** Signs refresh tokens (HS256). */
  refreshToken: Secret
  /** Seals the private signing keys in the database (AES-256-GCM). */
  sealing: Secret
  /** The password of the database role pie_auth. */
  authRolePassword: Secret
  /** The password of the database role cream. */
  requestRolePassword: Secret
}

/** Derives the keys of each value of SECRET_KEY, in the order given: the first signs, all verify. */
export function deriveKeys(secretKeys: Secret[]): DerivedKeys[] {
  return secretKeys.map((secretKey) => ({
    sessionProof: derive(secretKey, 'pie session proof'),
    sessionSignature: derive(secretKey, 'pie session cookie'),
    csrfToken: derive(secretKey, 'pie csrf token'),
    cacheSealing: derive(secretKey, 'pie sealing of cached entries'),
    operatorToken: derive(secretKey, 'pie operator token'),
    refreshToken: derive(secretKey, 'pie refresh token'),
    sealing: derive(secretKey, 'pie sealing of signing keys'),
    authRolePassword: asPassword(derive(secretKey, 'pie database role pie_auth')),
    requestRolePassword: asPassword(derive(secretKey, 'pie database role cream')),
  }))
}

function derive(secretKey: Secret, label: string): Secret {
  return Secret.fromBytes(new Uint8Array(hkdfSync('sha256', secretKey.reveal(), '', label, 32)))
}

function asPassword(key: Secret): Secret {
  return Secret.fromText(key.reveal().toString('base64url'))
}

/** HMAC-SHA256 of a text. 32 bytes. */
export function authenticateText(key: Secret, text: string): Buffer {
  return createHmac('sha256', key.revealKey()).update(text).digest()
}

/** The same in base64url, 43 characters, which node:crypto makes faster than bytes. */
export function signText(key: Secret, text: string): string {
  return createHmac('sha256', key.revealKey()).update(text).digest('base64url')
}
