import { BlockList, isIP } from 'node:net'

/** Loopback, private and link-local addresses (RFC 1918, 4193, 6598, 3927, 4291). */
const inside = new BlockList()
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const)
  inside.addSubnet(network, prefix)
inside.addAddress('::1', 'ipv6')
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addSubnet('fe80::', 10, 'ipv6')

/** Whether whoever listens there may be reached from anywhere: every address is. What a name stands for is not looked up. */
export function isPublic(host: string): boolean {
  const version = isIP(host)
  return version !== 0 && !inside.check(host, version === 6 ? 'ipv6' : 'ipv4')
}
