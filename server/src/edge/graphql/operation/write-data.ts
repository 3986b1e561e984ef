import { Refusal } from '../../../ground/errors.ts'

/**
 * Writes what has been found as JSON, once it is seen that it is not too much: of what is read once a document may have
 * many copies written, by aliases or by rows that many others lead to.
 *
 * @throws Refusal `graphql_answer_too_large`
 */
export function writeData(data: unknown, mostBytes: number): string {
  let left = mostBytes
  // No recursion: how deep a value of JSON goes, nobody has limited.
  const values = [data]
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (typeof value === 'string') left -= value.length + QUOTES
    else if (typeof value !== 'object' || value === null) left -= 1
    else if (Array.isArray(value)) for (const part of value) values.push(part ?? null)
    else
      for (const key in value) {
        left -= key.length + QUOTES
        values.push((value as Record<string, unknown>)[key] ?? null)
      }
    if (left < 0) throw refuseSize(mostBytes)
  }
  const text = JSON.stringify(data)
  // Signs outside of ASCII, and those that are written in six, weigh more than was counted.
  if (Buffer.byteLength(text) > mostBytes) throw refuseSize(mostBytes)
  return text
}

const QUOTES = 2

export const refuseSize = (mostBytes: number): Refusal =>
  new Refusal('graphql_answer_too_large', {
    detail: `An answer has ${mostBytes} bytes at most. Ask for fewer fields, or smaller pages.`,
  })
