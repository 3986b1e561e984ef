import { AsyncLocalStorage } from 'node:async_hooks'
import { format } from 'node:util'

const listening = new AsyncLocalStorage<(text: string) => void>()
const METHODS = ['log', 'info', 'warn', 'error'] as const
let isHeard = false

/** Does work whose words to the console are heard here, and do not reach it. Everybody else's do. */
export function quietConsole<T>(hear: (text: string) => void, work: () => Promise<T>): Promise<T> {
  if (!isHeard)
    for (const method of METHODS) {
      // biome-ignore lint/suspicious/noConsole: what PostGraphile says to it is what this is about
      const say = console[method].bind(console)
      console[method] = (...words: unknown[]) => {
        const heard = listening.getStore()
        if (heard === undefined) say(...words)
        else heard(format(...words))
      }
    }
  isHeard = true
  return listening.run(hear, work)
}
