import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DerivedKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'

/**
 * Where the owner connects to the embedded Postgres in a DATA_DIR: read from the files that it keeps
 * there, because asking in the usual way (`findDatabase`) would start a Postgres if Pie had just stopped.
 */
export async function readOwnerUrl(dataDirectory: string): Promise<Secret> {
  const read = (name: string) => readFile(join(dataDirectory, 'postgres', name), 'utf8')
  const [password, port] = [(await read('password')).trim(), (await read('port')).trim()]
  return Secret.fromText(`postgres://postgres:${password}@127.0.0.1:${port}/pie_db`)
}

/** Where request transactions connect. */
export function urlOfCream({
  keys: [key],
  ownerUrl,
}: {
  keys: readonly [DerivedKeys, ...DerivedKeys[]]
  ownerUrl: Secret
}): Secret {
  const url = new URL(ownerUrl.revealText())
  url.username = 'cream'
  url.password = key.requestRolePassword.revealText()
  return Secret.fromText(url.href)
}
