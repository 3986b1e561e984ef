import type { HttpAnswer } from './http-connection.ts'
import { type Exchange, runLoad } from './run-load.ts'

const CONNECTIONS = 10

/** Asks each of these once; returns the answers in the order of what was asked. */
export async function askAll(
  address: string,
  exchanges: readonly Exchange[],
): Promise<HttpAnswer[]> {
  const answers: HttpAnswer[] = []
  const waiting = exchanges.entries()
  await runLoad({
    address,
    connections: CONNECTIONS,
    seconds: Number.POSITIVE_INFINITY,
    next: () => {
      const { value } = waiting.next()
      if (value === undefined) return null
      const [place, { request, check }] = value
      return {
        request,
        check: (answer) => {
          check(answer)
          answers[place] = answer
        },
      }
    },
  })
  return answers
}
