import type pg from 'pg'
import { borrowRoles } from '../../../../advisor/src/index.ts'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { proveSession } from '../sessions/prove-session.ts'
import { makeIdentity } from '../sessions/start-session.ts'

/**
 * Makes the rest of a transaction a request of this user, as `pie_private.authenticate` does for every
 * request. To be called in a transaction that is rolled back. Returns the database role.
 *
 * The session's row is written directly: `start_session` would take a number for the audit log, which no
 * rollback gives back.
 */
export async function becomeUser(
  owner: pg.ClientBase,
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
  userId: string,
): Promise<string> {
  const { id, kind, proofHash } = makeIdentity(keys, 'token')
  await owner.query(
    `insert into pie_private.sessions (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at)
     values ($1, $2, $3, $4, '{}', now() + interval '1 hour', now() + interval '1 hour')`,
    [id, userId, kind, proofHash],
  )
  await borrowRoles(owner, ['webuser', 'webadmin'])
  const [proof] = proveSession([keys[0]], id).proofs
  await owner.query('select pie_private.authenticate($1, $2)', [id, proof])
  const { rows } = await owner.query<{ role: string }>('select current_user as role')
  return rows[0]?.role ?? ''
}
