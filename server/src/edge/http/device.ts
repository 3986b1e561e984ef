import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Device } from '../../features/sessions/session.ts'

/** From where and with what a request comes. */
export function deviceOf(request: FastifyRequest): Device {
  return { address: addressOf(request), userAgent: readable(request.headers['user-agent']) }
}

/**
 * The network address a request is counted by: the connection's, or, from a proxy in TRUSTED_PROXIES,
 * the one that it names. An IPv4 address inside IPv6 is the IPv4 address.
 */
export function addressOf(request: FastifyRequest): string {
  const candidates = [request.ip, request.socket.remoteAddress ?? '']
  for (const candidate of candidates) {
    const address = withoutPort(candidate)
      .replace(/^::ffff:(?=\d+\.)/i, '')
      .replace(/%.*$/, '')
    if (isIP(address) !== 0) return address
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
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  // An IPv4 address at the end takes the place of two groups.
  if (address.includes('.')) after.push('0')
  const zeros =
    tail === undefined ? [] : Array(Math.max(0, 8 - groups.length - after.length)).fill('0')
  const first = [...groups, ...zeros, ...after].slice(0, 4)
  return `${first.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
