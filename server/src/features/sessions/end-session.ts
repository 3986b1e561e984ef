import type { Ground } from '../../ground/ground.ts'
import { proveSession } from './prove-session.ts'
import { endSessionStatement } from './queries.ts'

/** Ends a session at its holder's wish. Ending it twice is the same as once. */
export async function endSession(
  { auth, keys }: Pick<Ground, 'auth' | 'keys'>,
  { sessionId, address }: { sessionId: string; address: string },
): Promise<void> {
  await auth.send(endSessionStatement(proveSession(keys, sessionId), 'logout', address))
}
