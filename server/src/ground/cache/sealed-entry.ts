import type { DerivedKeys } from '../crypto/derive-keys.ts'
import { seal, unseal } from '../crypto/seal.ts'
import { Secret } from '../crypto/secret.ts'
import { type Entry, GONE } from './protocol.ts'

/**
 * An entry as the shared cache keeps it. It begins with the versions of its rows, as digits of fixed
 * length, so that texts compare as versions do; the rest is sealed.
 */
export const HEAD_LENGTH = 32

/** Whose an entry is: what it is sealed for, so that it opens for nothing else. */
export interface EntryName {
  id: string
  /** Which history of which database it was read from: one that a promoted standby has begun is another. */
  lineage: string
}

/** With the number of its form, so that no node reads that of another version. */
const contextOf = ({ id, lineage }: EntryName): string => `2 ${id} ${lineage}`

export function sealEntry(
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
  name: EntryName,
  entry: Entry<unknown>,
): Buffer {
  const plain = Secret.fromText(JSON.stringify(entry))
  const [first = 0, second = 0] = entry.versions.map(([, version]) => version)
  return Buffer.concat([headOf(first, second), seal(keys[0].cacheSealing, plain, contextOf(name))])
}

/** What stands in an entry's place when its session is no more: above every entry, and none itself. */
export const nothing: Buffer = headOf(GONE, 0)

function headOf(first: number, second: number): Buffer {
  const digits = (version: number) =>
    String(Math.min(version, Number.MAX_SAFE_INTEGER)).padStart(HEAD_LENGTH / 2, '0')
  return Buffer.from(digits(first) + digits(second))
}

/** Null for what no key of ours has sealed under this name: forged, damaged, or of another SECRET_KEY or history. */
export function openEntry(
  keys: readonly DerivedKeys[],
  name: EntryName,
  value: Buffer,
): Entry<unknown> | null {
  for (const { cacheSealing } of keys) {
    const plain = unseal(cacheSealing, value.subarray(HEAD_LENGTH), contextOf(name))
    if (plain !== null) return JSON.parse(plain.revealText()) as Entry<unknown>
  }
  return null
}
