/** A real browser, driven over the DevTools protocol: what browsers do of their own accord is no stub's to say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { atExit } from './at-exit.ts'

export interface Page {
  /** Goes to an address, and waits until it has loaded. */
  goTo(url: string): Promise<void>
  /** Runs an expression in the page, waits for its promise, and returns its value as JSON has it. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what its expression is
  run(expression: string): Promise<any>
  /** Waits until an expression is true, also across a navigation. */
  until(expression: string): Promise<void>
}

export interface Browser {
  page: Page
  /** The value of a cookie that the browser holds for an origin; HttpOnly ones too. Null for none. */
  cookie(name: string, origin: string): Promise<string | null>
  close(): Promise<void>
}

const flags = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...['--remote-debugging-port=0', 'about:blank'],
]

// biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes
type Reply = any

export async function startBrowser(): Promise<Browser> {
  const directory = mkdtempSync(join(tmpdir(), 'pie-browser-'))
  const child = spawn('chromium', [`--user-data-dir=${directory}`, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  const forget = atExit(() => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  const socket = new WebSocket(await readAddress(child.stderr))
  await once(socket, 'open')

  let last = 0
  const waiting = new Map<number, (reply: Reply) => void>()
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data))
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  })
  const send = async (method: string, params: object = {}, sessionId?: string): Promise<Reply> => {
    last += 1
    const reply = new Promise<Reply>((resolve) => waiting.set(last, resolve))
    socket.send(JSON.stringify({ id: last, method, params, sessionId }))
    const { result, error } = await reply
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
  const run = async (expression: string): Promise<Reply> => {
    const options = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await send('Runtime.evaluate', options, sessionId)
    if (exceptionDetails === undefined) return result.value
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
  }
  const until = async (expression: string): Promise<void> => {
    for (let tries = 0; tries < 3_000; tries += 1) {
      // A page that is being left answers with an error.
      if ((await run(expression).catch(() => false)) === true) return
      await sleep(20)
    }
    throw new Error(`the browser never came to ${expression}: ${await run('location.href')}`)
  }
  const goTo = async (url: string): Promise<void> => {
    const { errorText } = await send('Page.navigate', { url }, sessionId)
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
    await until(`location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`)
  }
  return {
    page: { goTo, run, until },
    cookie: async (name, origin) => {
      const { cookies } = await send('Network.getCookies', { urls: [origin] }, sessionId)
      return cookies.find((cookie: Reply) => cookie.name === name)?.value ?? null
    },
    close: async () => {
      // It may be gone before it has said that it will.
      await Promise.race([exited, send('Browser.close').catch(() => {})])
      await exited
      forget()
      rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    },
  }
}

/** The browser prints where it listens. */
async function readAddress(output: Readable): Promise<string> {
  let text = ''
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    text += chunk
    const [, address] = /listening on (ws:\S+)/.exec(text) ?? []
    if (address !== undefined) {
      output.resume()
      return address
    }
  }
  throw new Error(`chromium ended: ${text}`)
}
