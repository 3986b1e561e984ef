import { isIPv6 } from 'node:net'

/**
 * Where to ask what listens there, as an origin: `http://127.0.0.1:3000`. Whoever listens on every address of this machine is found on
 * one that leads there from everywhere on it.
 */
export function listeningAddress(host: string, port: number): string {
  const { hostname } = new URL(`http://${isIPv6(host) ? `[${host}]` : host}`)
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }
  return new URL(`http://${everywhere[hostname] ?? hostname}:${port}`).origin
}
