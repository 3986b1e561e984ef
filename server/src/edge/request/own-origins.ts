import type { Policy } from '../../ground/policy.ts'

/** The names by which everybody calls this machine. Another of 127.0.0.0/8 may be another service's. */
const namesOfThisMachine: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/**
 * The origins of Pie's own pages, the public one first. On a laptop also what this machine is called otherwise, and
 * where Pie listens, as it says at its start.
 */
export function ownOrigins({
  service: { origin, address },
}: {
  service: Pick<Policy['service'], 'origin' | 'address'>
}): string[] {
  if (!isLaptop(origin)) return [origin]
  const places = address === undefined ? [origin] : [origin, new URL(address).origin]
  return [...new Set(places.flatMap(withOtherNames))]
}

/** Whether the service is for whoever sits at this machine: plain http, on an address that leads nowhere else. */
export function isLaptop(origin: string): boolean {
  if (!origin.startsWith('http:')) return false
  const { hostname } = new URL(origin)
  return isLoopback(hostname) || /\.localhost\.?$/.test(hostname)
}

/**
 * Whether a host, as a URL writes it, is this machine whoever asks: no name server has a say in it, so that nobody's page
 * can be served from there but by a program that runs here.
 */
export function isLoopback(hostname: string): boolean {
  return /^(localhost\.?|127(\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/.test(
    hostname,
  )
}

function withOtherNames(origin: string): string[] {
  const url = new URL(origin)
  if (!namesOfThisMachine.includes(url.hostname)) return [origin]
  const { port } = url
  return [origin, ...namesOfThisMachine.map((name) => `http://${name}${port && `:${port}`}`)]
}
