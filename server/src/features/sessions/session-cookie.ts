import { timingSafeEqual } from 'node:crypto'
import { type DerivedKeys, signText } from '../../ground/crypto/derive-keys.ts'

/**
 * What a browser holds of a session: its id, and the id's signature under a key derived from SECRET_KEY.
 * The database has neither the signature nor anything to make it from.
 */
export function signSessionId(
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
  sessionId: string,
): string {
  return `${sessionId}.${signatureOf(keys[0], sessionId)}`
}

export interface SignedSessionId {
  sessionId: string
  /** Whether the first key of SECRET_KEY has signed it. One that another has is to be signed anew. */
  isCurrent: boolean
}

const form = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/

/** Reads what `signSessionId` wrote. Null for whatever no key of ours has signed. No I/O. */
export function readSignedSessionId(
  keys: readonly DerivedKeys[],
  text: string,
): SignedSessionId | null {
  const [, sessionId, signature] = form.exec(text) ?? []
  if (sessionId === undefined || signature === undefined) return null
  const given = Buffer.from(signature, 'latin1')
  const signer = keys.findIndex((key) =>
    timingSafeEqual(Buffer.from(signatureOf(key, sessionId), 'latin1'), given),
  )
  return signer < 0 ? null : { sessionId, isCurrent: signer === 0 }
}

function signatureOf({ sessionSignature }: DerivedKeys, sessionId: string): string {
  return signText(sessionSignature, sessionId)
}
