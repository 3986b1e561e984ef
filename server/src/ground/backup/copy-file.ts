import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

export interface Copied {
  /** SHA-256 of what was written, hexadecimal. */
  checksum: string
  bytes: number
}

/** Most files of a Postgres have less: those are read and written at once. */
const PIECE_BYTES = 256 * 1024

/** Copies a file, for its owner alone. */
export async function copyFile(from: string, to: string): Promise<Copied> {
  await using source = await open(from)
  await using target = await open(to, 'wx', 0o600)
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  let bytes = 0
  for (;;) {
    const { bytesRead } = await source.read(piece, 0, PIECE_BYTES)
    if (bytesRead === 0) break
    hash.update(piece.subarray(0, bytesRead))
    await target.writeFile(piece.subarray(0, bytesRead))
    bytes += bytesRead
  }
  return { checksum: hash.digest('hex'), bytes }
}
