/** What a parameter of a statement may be. Arrays are one-dimensional. */
export type Parameter =
  | string
  | number
  | boolean
  | Date
  | Buffer
  | null
  | readonly (string | Buffer)[]

/** As the wire carries it: text, or bytes for bytea. @throws RangeError for a Date that is none */
export function toWire(value: Parameter): string | Buffer | null {
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return toArrayLiteral(value)
  return String(value)
}

/** PostgreSQL manual, 8.15.6: every element quoted, so that none can end the array or read as null. */
function toArrayLiteral(elements: readonly (string | Buffer)[]): string {
  const quoted = elements.map((element) => {
    const text = Buffer.isBuffer(element) ? `\\x${element.toString('hex')}` : element
    return `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${quoted.join(',')}}`
}
