import type { Statement } from '../../ground/database/pipeline.ts'
import { OperatorError } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import {
  makeSigningKey,
  openPrivateKey,
  type PublicJwk,
  readPublicKey,
  type SealedSigningKey,
  type SigningKey,
} from './signing-key.ts'

/** The keys that sign and verify access tokens, as this node last read them. */
export interface KeyRing {
  /** The key that signs now: the newest whose time has come. */
  current(): SigningKey
  /** The key of this name, while tokens that it signed are accepted. */
  find(kid: string): SigningKey | undefined
  /** What `/.well-known/jwks.json` shows: also a key that is yet to sign, so that readers know it in time. */
  published(): PublicJwk[]
  /** Stops re-reading. */
  close(): void
}

type Needs = Pick<Ground, 'auth' | 'keys' | 'clock' | 'log'>

/** How often a node looks for new keys. `pie key rotate` waits several times as long before one signs. */
const REREAD_MS = 60_000

/**
 * Reads the signing keys, making the first one if there is none, and goes on re-reading them.
 * @throws OperatorError when SECRET_KEY opens none that may sign
 */
export async function openKeyRing(ground: Needs): Promise<KeyRing> {
  const [first] = await readKeys(ground)
  if (first === undefined) await ground.auth.send(addFirstSigningKey(makeSigningKey(ground.keys)))
  return readKeyRing(ground)
}

/** The same for who only checks tokens, and makes no key. */
export async function readKeyRing(ground: Needs): Promise<KeyRing> {
  let keys = await readKeys(ground)
  const timer = setInterval(async () => {
    try {
      keys = await readKeys(ground)
    } catch (error) {
      ground.log.warn({ err: error }, 'could not re-read the signing keys; the known ones stay')
    }
  }, REREAD_MS)
  timer.unref()
  const accepted = () =>
    keys.filter(({ verifiesUntil }) => verifiesUntil === null || verifiesUntil > ground.clock.now())
  return {
    current: () => {
      const now = ground.clock.now()
      const current = keys.find(({ signsFrom }) => signsFrom <= now) ?? keys[0]
      if (current === undefined) throw new Error('there is no signing key')
      return current
    },
    find: (kid) => accepted().find((key) => key.kid === kid),
    published: () => accepted().map(({ publicJwk }) => publicJwk),
    close: () => clearInterval(timer),
  }
}

interface KeyRow {
  kid: string
  public_jwk: PublicJwk
  sealed_private: Buffer
  signs_from: Date
  verifies_until: Date | null
}

/** The newest first. */
async function readKeys({ auth, keys }: Pick<Ground, 'auth' | 'keys'>): Promise<SigningKey[]> {
  const [rows = []] = (await auth.send(listSigningKeys)) as [KeyRow[]]
  return rows.map((row) => {
    const sealed = { kid: row.kid, publicJwk: row.public_jwk, sealedPrivate: row.sealed_private }
    const privateKey = openPrivateKey(sealed, keys)
    if (privateKey === null) {
      throw new OperatorError(
        `SECRET_KEY does not open the signing key ${row.kid}, which another one has sealed. ` +
          'Add the SECRET_KEY that was used before, after a comma. Where it is lost, and another key of SECRET_KEY is right: ' +
          'pie key rotate --now, which ends every access token.',
      )
    }
    return {
      kid: row.kid,
      publicJwk: row.public_jwk,
      publicKey: readPublicKey(row.public_jwk),
      privateKey,
      signsFrom: row.signs_from,
      verifiesUntil: row.verifies_until,
    }
  })
}

const listSigningKeys: Statement = {
  name: 'list_signing_keys',
  text: 'select * from pie_private.list_signing_keys()',
  values: [],
}

const addFirstSigningKey = ({ kid, publicJwk, sealedPrivate }: SealedSigningKey): Statement => ({
  name: 'add_first_signing_key',
  text: 'select pie_private.add_first_signing_key($1, $2, $3)',
  values: [kid, JSON.stringify(publicJwk), sealedPrivate],
})
