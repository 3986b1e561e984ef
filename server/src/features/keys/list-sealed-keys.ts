import type pg from 'pg'
import type { PublicJwk, SealedSigningKey } from './signing-key.ts'

interface SealedRow {
  kid: string
  public_jwk: PublicJwk
  sealed_private: Buffer
}

/** The signing keys that tokens may be verified with, as the database keeps them. The newest first. */
export async function listSealedKeys(owner: pg.ClientBase): Promise<SealedSigningKey[]> {
  const { rows } = await owner.query<SealedRow>(
    'select kid, public_jwk, sealed_private from pie_private.list_signing_keys()',
  )
  return rows.map(({ kid, public_jwk: publicJwk, sealed_private: sealedPrivate }) => ({
    kid,
    publicJwk,
    sealedPrivate,
  }))
}
