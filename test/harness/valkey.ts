/** A Valkey or Redis of a test's own: a process that can be paused, killed and started again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atExit } from './at-exit.ts'
import { findFreePort } from './process.ts'
import { requireTool } from './require-tool.ts'

export interface Valkey {
  url: string
  /** Sends one command on a connection of its own, and returns the bare reply. */
  ask(...command: (string | Buffer)[]): Promise<Reply>
  /** The key that ends so, if there is one. */
  findKey(end: string): Promise<string | null>
  pause(): void
  resume(): void
  /** Kills it, with all that it keeps. */
  kill(): Promise<void>
  /** Starts it again, empty, at the same address. */
  start(): Promise<void>
  stop(): Promise<void>
}

type Reply = Buffer | number | null | Reply[]

export async function startValkey(): Promise<Valkey> {
  const valkey = await placeValkey()
  await valkey.start()
  return valkey
}

/** One that has an address, and is not running yet. */
export async function placeValkey(): Promise<Valkey> {
  const program = findValkeyProgram()
  const port = await findFreePort()
  const directory = mkdtempSync(join(tmpdir(), 'pie-valkey-'))
  let child: ChildProcess | null = null
  const kill = async () => {
    if (child === null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    child = null
  }
  // A run that is interrupted leaves nothing behind.
  const forget = atExit(() => {
    child?.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  const ask = (...command: (string | Buffer)[]) => askOnce(port, command)
  return {
    url: `valkey://127.0.0.1:${port}`,
    ask,
    findKey: async (end) => {
      const [key] = (await ask('KEYS', `*${end}`)) as Buffer[]
      return key?.toString() ?? null
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill,
    start: async () => {
      const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no' }
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
      child = spawn(program, args, { stdio: 'ignore' })
      for (let isReady = false; !isReady; await sleep(10)) {
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`)
        isReady = await ask('PING').then(
          () => true,
          () => false,
        )
      }
    },
    stop: async () => {
      await kill()
      forget()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Whichever of the two there is; where there is neither, Redis is installed. */
export function findValkeyProgram(): string {
  const hasValkey = spawnSync('sh', ['-c', 'command -v valkey-server']).status === 0
  if (hasValkey) return 'valkey-server'
  requireTool('redis-server', 'redis-server')
  return 'redis-server'
}

/** RESP 2: enough of it for one command. */
async function askOnce(port: number, command: (string | Buffer)[]): Promise<Reply> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(`*${command.length}\r\n`)
    for (const part of command) {
      socket.write(`$${Buffer.byteLength(part)}\r\n`)
      socket.write(part)
      socket.write('\r\n')
    }
    let received: Buffer = Buffer.alloc(0)
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk])
      const found = readReply(received, 0)
      if (found !== null) return found.reply
    }
    throw new Error('it hung up')
  } finally {
    socket.destroy()
  }
}

/** Null while it is not whole. */
function readReply(bytes: Buffer, from: number): { reply: Reply; end: number } | null {
  const lineEnd = bytes.indexOf('\r\n', from)
  if (lineEnd < 0) return null
  const kind = String.fromCharCode(bytes[from] ?? 0)
  const line = bytes.subarray(from + 1, lineEnd)
  const after = lineEnd + 2
  if (kind === '-') throw new Error(line.toString())
  if (kind === '+') return { reply: line, end: after }
  const number = Number(line.toString())
  if (kind === ':') return { reply: number, end: after }
  if (number < 0) return { reply: null, end: after }
  if (kind === '$') {
    const end = after + number
    return bytes.length < end + 2 ? null : { reply: bytes.subarray(after, end), end: end + 2 }
  }
  const replies: Reply[] = []
  let end = after
  for (let index = 0; index < number; index += 1) {
    const item = readReply(bytes, end)
    if (item === null) return null
    replies.push(item.reply)
    end = item.end
  }
  return { reply: replies, end }
}
