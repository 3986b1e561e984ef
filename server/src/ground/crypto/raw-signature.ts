const NUMBER_BYTES = 32

/**
 * An ECDSA signature over P-256 as JWS carries it (RFC 7518 section 3.4): the numbers r and s, 32 bytes
 * each, one after the other.
 *
 * @param der the same as node:crypto makes it (RFC 3279 section 2.2.3): a sequence of two integers, which
 *   have a leading zero where their first bit is set, and lack leading zeros otherwise
 */
export function toRawSignature(der: Buffer): Buffer {
  const raw = Buffer.alloc(2 * NUMBER_BYTES)
  // 30 length · 02 length r · 02 length s; none of the lengths of P-256 needs a second byte.
  const lengthOfR = der[3] ?? 0
  const endOfR = 4 + lengthOfR
  placeNumber(raw, der.subarray(4, endOfR), NUMBER_BYTES)
  placeNumber(raw, der.subarray(endOfR + 2), 2 * NUMBER_BYTES)
  return raw
}

/** Right-aligned, so that it ends at `end`. */
function placeNumber(raw: Buffer, number: Buffer, end: number): void {
  const digits = number.subarray(Math.max(0, number.length - NUMBER_BYTES))
  digits.copy(raw, end - digits.length)
}
