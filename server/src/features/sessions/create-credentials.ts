import { deriveKeys } from '../../ground/crypto/derive-keys.ts'
import { Secret } from '../../ground/crypto/secret.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { proveSession } from './prove-session.ts'
import { readSignedSessionId } from './session-cookie.ts'

export interface Credentials {
  /**
   * What a browser's cookie of Pie's stands for. Null for one that no key of ours has signed. No I/O:
   * whether the session may act, Postgres says.
   *
   * @param value of the cookie that `sessionCookieName` names: `pie_session_3000`, or `__Host-pie_session` over https
   */
  ofCookie(value: string): SessionCredential | null
  /**
   * What a session stands for whose id is known for certain: from the claim `sid` of an access token whose
   * signature, issuer and expiry **have been verified**. Whoever gets somebody else's id in here is them.
   */
  ofVerifiedSession(sessionId: string): SessionCredential
}

/**
 * For an application beside Pie that has its SECRET_KEY and uses `withSession` by itself.
 * @param secretKey as the setting is: several, comma-separated, while it is being changed
 */
export function createCredentials(secretKey: string): Credentials {
  const keys = deriveKeys(secretKey.split(',').map((key) => Secret.fromText(key.trim())))
  return {
    ofCookie: (value) => {
      const signed = readSignedSessionId(keys, value)
      return signed === null ? null : proveSession(keys, signed.sessionId)
    },
    ofVerifiedSession: (sessionId) => proveSession(keys, sessionId),
  }
}
