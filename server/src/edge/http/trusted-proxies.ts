import { compile } from '@fastify/proxy-addr'

/** Whether a proxy is believed: by its address, and by how many are between it and Pie. */
export type Trusts = (address: string, hop: number) => boolean

/** A number of proxies: those nearest to Pie, whatever their addresses. Fastify takes no number, because it cannot know that nobody comes past them. */
export function trustsOf(proxies: string[] | number): Trusts {
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies
  return proxies.length === 0 ? () => false : compile(proxies)
}
