import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { AdvisorError } from '../errors.ts'

type Ssl = ConnectionOptions | false

/** The parameters of an address that are about TLS. `pg` has meanings of its own for them, and warns that they will change. */
const ofTls = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'ssl', 'uselibpqcompat'] as const

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/**
 * What libpq makes of an address's `sslmode`: `require` encrypts and asks for no certificate, `verify-ca` asks who signed it,
 * `verify-full` whose it is, too. Without it, `PGSSLMODE`, or else `prefer`: with TLS where the server has it.
 * @returns what to try, one after the other, and the address without what is read here
 */
export async function readTls(url: URL): Promise<{ attempts: readonly Ssl[]; rest: string }> {
  const rest = new URL(url)
  const given: Partial<Record<(typeof ofTls)[number], string>> = {}
  for (const name of ofTls) {
    const value = rest.searchParams.get(name)
    if (value !== null && value !== '') given[name] = value
    rest.searchParams.delete(name)
  }
  return { attempts: await attemptsOf(modeOf(given), given), rest: rest.href }
}

type Given = Partial<Record<(typeof ofTls)[number], string>>

function modeOf({ sslmode, ssl, sslrootcert }: Given): string {
  // As in libpq: whoever trusts every CA of the system wants the name to fit.
  if (sslrootcert === 'system') return 'verify-full'
  const asked =
    ssl === undefined
      ? process.env['PGSSLMODE']
      : /^(true|1)$/.test(ssl)
        ? 'verify-full'
        : 'disable'
  const mode = sslmode ?? (asked || 'prefer')
  if (modes.includes(mode)) return mode
  throw new AdvisorError(`sslmode is one of ${modes.join(', ')}.`)
}

async function attemptsOf(
  mode: string,
  { sslrootcert, sslcert, sslkey }: Given,
): Promise<readonly Ssl[]> {
  if (mode === 'disable') return [false]
  const files: ConnectionOptions = {
    ...(sslrootcert !== undefined && sslrootcert !== 'system' && { ca: await read(sslrootcert) }),
    ...(sslcert !== undefined && { cert: await read(sslcert) }),
    ...(sslkey !== undefined && { key: await read(sslkey) }),
  }
  const unverified = { ...files, rejectUnauthorized: false }
  const anyName = { ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  switch (mode) {
    case 'verify-full':
      return [{ ...files, rejectUnauthorized: true }]
    case 'verify-ca':
      return [anyName]
    // As in libpq: a CA that is named is asked.
    case 'require':
      return [files.ca === undefined ? unverified : anyName]
    case 'no-verify':
      return [unverified]
    default:
      return [unverified, false]
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new AdvisorError(`Could not read ${file}: ${(cause as Error).message}.`, { cause })
  }
}
