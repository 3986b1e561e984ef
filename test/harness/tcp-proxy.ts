/** A network between Pie and what it stands on, that can be cut, fall silent and be slow. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  /** The same address, through this proxy. */
  through(url: string): string
  /** New connections lead there from now on, as when a name or an address is another server's; those that there are stay. */
  leadTo(url: string | URL): void
  /** Ends every connection there is. New ones are taken. */
  cut(): void
  /** Takes no new connections, until `accept`. */
  refuse(): Promise<void>
  accept(): Promise<void>
  /** Everything that is sent from now on is kept, also on new connections, until `speak`. */
  silence(): void
  /** The same for what the server sends, and nothing else. */
  keepAnswers(): void
  /** The connections that there are stay silent for good, as when a router has forgotten them. */
  forget(): void
  /** What was kept arrives now, and all at once. */
  speak(): void
  /** How long everything takes, each way. */
  delay(milliseconds: number): void
  close(): Promise<void>
}

interface Line {
  /** Of a connection that is silent for good. */
  isForgotten: boolean
  deliver(): void
  end(): void
}

/** @param overhear is told what is sent towards the server, before it is sent on */
export async function startTcpProxy(
  target: string,
  overhear: (text: string, proxy: TcpProxy) => void = () => {},
): Promise<TcpProxy> {
  let { hostname, port } = new URL(target)
  const lines = new Set<Line>()
  let isSilent = false
  let areAnswersKept = false
  let delayMs = 0

  /** One direction of a connection. */
  const carry = (from: Socket, to: Socket, isKept: () => boolean, listen = (_: Buffer) => {}) => {
    const kept: { chunk: Buffer; isDue: boolean }[] = []
    const line: Line = {
      isForgotten: false,
      deliver: () => {
        if (isKept() || line.isForgotten || to.destroyed) return
        const early = kept.findIndex(({ isDue }) => !isDue)
        const due = kept.splice(0, early < 0 ? kept.length : early)
        if (due.length > 0) to.write(Buffer.concat(due.map(({ chunk }) => chunk)))
      },
      end: () => from.destroy(),
    }
    lines.add(line)
    from.on('data', (chunk) => {
      listen(chunk)
      const item = { chunk, isDue: delayMs === 0 }
      kept.push(item)
      const arrive = () => {
        item.isDue = true
        line.deliver()
      }
      if (item.isDue) arrive()
      else setTimeout(arrive, delayMs)
    })
    from.on('error', () => {})
    from.on('close', () => {
      lines.delete(line)
      if (!line.isForgotten) to.destroy()
    })
  }

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    const listen = (chunk: Buffer) => overhear(chunk.toString('latin1'), proxy)
    carry(client, upstream, () => isSilent, listen)
    carry(upstream, client, () => isSilent || areAnswersKept)
  })
  const listen = async (on: number): Promise<number> => {
    server.listen(on, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const ownPort = await listen(0)
  const stopListening = async () => {
    if (!server.listening) return
    // It takes no more at once; that it has closed is told when the last connection has ended.
    server.close()
  }

  const proxy: TcpProxy = {
    through: (url) => {
      const address = new URL(url)
      address.host = `127.0.0.1:${ownPort}`
      return address.href
    },
    leadTo: (url) => {
      ;({ hostname, port } = new URL(url))
    },
    cut: () => {
      for (const line of [...lines]) line.end()
    },
    refuse: stopListening,
    accept: async () => {
      if (!server.listening) await listen(ownPort)
    },
    silence: () => {
      isSilent = true
    },
    keepAnswers: () => {
      areAnswersKept = true
    },
    forget: () => {
      for (const line of lines) line.isForgotten = true
    },
    speak: () => {
      isSilent = false
      areAnswersKept = false
      for (const line of lines) line.deliver()
    },
    delay: (milliseconds) => {
      delayMs = milliseconds
    },
    close: async () => {
      await stopListening()
      proxy.cut()
    },
  }
  return proxy
}
