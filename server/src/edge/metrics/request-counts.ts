import { createDurations, type Durations, type ReadDurations } from '../../ground/durations.ts'

/** One request that is over. Every part is one of few: the metrics are as many as they are. */
export interface CountedRequest {
  method: string
  /** The pattern, and never what somebody has asked for; null for what is found nowhere. */
  route: string | null
  /** Null for one whose client has gone before its answer. */
  status: number | null
  milliseconds: number
  /** What it was refused for. */
  code: string | null
}

/** Requests as they are counted: an increment and an observation each. */
export interface RequestCounts {
  count(request: CountedRequest): void
  /** What never became a request: it was no HTTP. */
  countMalformed(): void
  read(): ReadRequests
}

export interface ReadRequests {
  answered: { method: string; route: string; status: string; durations: ReadDurations }[]
  throttled: { limit: 'requests' | 'attempts'; route: string; count: number }[]
  malformed: number
}

const NOWHERE = 'unknown'
const ABORTED = 'aborted'

const known = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function createRequestCounts(): RequestCounts {
  const answered = new Map<string, Durations>()
  const throttled = new Map<string, number>()
  let malformed = 0
  return {
    count: ({ method, route, status, milliseconds, code }) => {
      const name = `${known.has(method) ? method : 'other'} ${status ?? ABORTED} ${route ?? NOWHERE}`
      let durations = answered.get(name)
      if (durations === undefined) {
        durations = createDurations()
        answered.set(name, durations)
      }
      durations.observe(milliseconds)
      if (code !== 'too_many_requests' && code !== 'too_many_attempts') return
      const limit = `${code === 'too_many_requests' ? 'requests' : 'attempts'} ${route ?? NOWHERE}`
      throttled.set(limit, (throttled.get(limit) ?? 0) + 1)
    },
    countMalformed: () => {
      malformed += 1
    },
    read: () => ({
      malformed,
      answered: [...answered].map(([name, durations]) => {
        const [method = '', status = '', route = ''] = name.split(' ')
        return { method, route, status, durations: durations.read() }
      }),
      throttled: [...throttled].map(([name, count]) => {
        const [limit, route = ''] = name.split(' ')
        return { limit: limit as 'requests' | 'attempts', route, count }
      }),
    }),
  }
}
