import { Refusal } from '../../../ground/errors.ts'

/**
 * Writes a part of an answer as JSON, once it is seen that it is not too much: of what is read once a document may have
 * many copies written, by aliases or by rows that many others lead to.
 *
 * @param left of the bytes of the whole answer
 * @throws Refusal `graphql_answer_too_large`
 */
export function writeJson(data: unknown, left: number, mostBytes: number): string {
  if (measureJson(data, left) > left) throw refuseSize(mostBytes)
  const text = JSON.stringify(data)
  // Signs outside of ASCII, and those that are written in six, weigh more than was counted.
  if (Buffer.byteLength(text) > left) throw refuseSize(mostBytes)
  return text
}

/** How long something is at least, as JSON; where it is more than so much, just that it is. */
function measureJson(data: unknown, most: number): number {
  let length = 0
  // No recursion: how deep a value of JSON goes, nobody has limited.
  const values = [data]
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (typeof value === 'string') length += value.length + QUOTES
    else if (typeof value !== 'object' || value === null) length += 1
    else if (Array.isArray(value)) for (const part of value) values.push(part ?? null)
    else
      for (const key in value) {
        length += key.length + QUOTES
        values.push((value as Record<string, unknown>)[key] ?? null)
      }
    if (length > most) break
  }
  return length
}

const QUOTES = 2

export const refuseSize = (mostBytes: number): Refusal =>
  new Refusal('graphql_answer_too_large', {
    detail: `An answer has ${mostBytes} bytes at most. Ask for fewer fields, or smaller pages.`,
  })
