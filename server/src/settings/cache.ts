/** What nodes keep of what they have read. */
import { asCacheUrl, asNumber } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const cacheSettings = {
  CACHE_URL: optional(
    'Valkey or Redis address',
    asCacheUrl,
    'none: each node caches for itself',
    'What all nodes share to answer faster and to count requests: valkey:// or redis://, with an s at the end for TLS. ' +
      'While it is away, Pie is slower and never wrong.',
  ),
  NEAR_CACHE_SIZE: withDefault(
    'number',
    asNumber(1, 10_000_000),
    '20000',
    'How many sessions each node keeps in memory; some 2 kB each.',
  ),
}
