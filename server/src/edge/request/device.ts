import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Device } from '../../features/sessions/session.ts'
import type { ShownRequest } from './shown-request.ts'

/** From where and with what a request comes. */
export function deviceOf(request: ShownRequest): Device {
  return { address: addressOf(request), userAgent: readable(request.headers['user-agent']) }
}

/**
 * The network address a request is counted by: the connection's, or, from a proxy in TRUSTED_PROXIES,
 * the one that it names. An IPv4 address inside IPv6 is the IPv4 address, however it is written.
 */
export function addressOf(request: ShownRequest): string {
  // Who comes by a socket of the file system has no address.
  const candidates = [request.ip ?? '', request.socket.remoteAddress ?? '']
  for (const candidate of candidates) {
    const address = withoutPort(candidate).replace(/%.*$/, '')
    if (isIP(address) !== 0) return plainAddress(address)
  }
  return '0.0.0.0'
}

/** Some gateways name the port too: `192.0.2.1:5678`, `[2001:db8::1]:5678`. */
function withoutPort(text: string): string {
  const [, v6, v4] = /^(?:\[([^\]]*)\]|(\d+(?:\.\d+){3}))(?::\d+)?$/.exec(text) ?? []
  return v6 ?? v4 ?? text
}

/** Printable ASCII only: what a client calls itself is shown to people and stored. */
function readable(userAgent: string | undefined): string | null {
  return userAgent?.replace(/[^\x20-\x7e]/g, '').slice(0, 512) || null
}

/**
 * The network that an address is counted by: IPv4 by itself, IPv6 by the /64 that one customer has to
 * themselves. `pie_private.network_of` says the same.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const { parts } = parseIpv6(plain)
  const prefix = parts.slice(0, 4).map((part) => part.toString(16))
  return `${prefix.join(':')}::/64`
}

/** IPv6 addresses that have an IPv4 address in their last four bytes: RFC 4291 section 2.5.5.2, RFC 6052, RFC 6145. */
const holdingIpv4: ReadonlySet<string> = new Set(['ipv4Mapped', 'rfc6052', 'rfc6145'])

function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address
  const parsed = parseIpv6(address)
  if (!holdingIpv4.has(parsed.range())) return address
  return ipaddr.fromByteArray(parsed.toByteArray().slice(-4)).toString()
}

/** ipaddr.js reads `::203.0.113.7` as if it were `::ffff:203.0.113.7`; a URL's host has no IPv4 form in it. */
function parseIpv6(address: string): ipaddr.IPv6 {
  const written = address.includes('.')
    ? new URL(`http://[${address}]`).hostname.slice(1, -1)
    : address
  return ipaddr.IPv6.parse(written)
}
