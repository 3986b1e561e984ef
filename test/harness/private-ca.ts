/** A certificate authority of nobody's but the test's, and a server certificate that it has signed. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findUnprivileged } from '../../server/src/ground/embedded-postgres/run-unprivileged.ts'
import { requireTool } from './require-tool.ts'

export interface PrivateCa {
  /** The file of its own certificate. */
  file: string
  /** Files for a server that goes by these names, as openssl writes them: `DNS:localhost,IP:127.0.0.1`. */
  issue(names: string): Promise<{ certificate: string; key: string }>
  /** Puts another file of the server's beside them. */
  write(name: string, lines: string[]): string
  remove(): void
}

export async function makePrivateCa(name: string): Promise<PrivateCa> {
  requireTool('openssl', 'openssl')
  const directory = mkdtempSync(join(tmpdir(), 'pie-ca-'))
  const file = (base: string) => join(directory, base)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const authority = [...elliptic, '-keyout', file('ca.key'), '-out', file('ca.pem')]
  openssl('req', '-x509', ...authority, '-days', '2', '-subj', `/CN=${name}`)
  return {
    file: file('ca.pem'),
    issue: async (names) => {
      const certificate = file('server.pem')
      const key = file('server.key')
      writeFileSync(file('names'), `subjectAltName=${names}\n`)
      openssl(
        'req',
        ...elliptic,
        '-keyout',
        key,
        '-out',
        file('server.csr'),
        '-subj',
        '/CN=postgres',
      )
      openssl(
        ...['x509', '-req', '-in', file('server.csr'), '-days', '2', '-extfile', file('names')],
        ...[
          '-CA',
          file('ca.pem'),
          '-CAkey',
          file('ca.key'),
          '-CAcreateserial',
          '-out',
          certificate,
        ],
      )
      chmodSync(key, 0o600)
      await findUnprivileged([directory]).own(directory)
      return { certificate, key }
    },
    write: (name, lines) => {
      writeFileSync(file(name), lines.map((line) => `${line}\n`).join(''))
      return file(name)
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
