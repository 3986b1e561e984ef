import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { mock, test } from 'node:test'
import { pino } from 'pino'
import { cloneDatabase } from '../../../../test/harness/cluster.ts'
import { Secret } from '../crypto/secret.ts'
import { openDatabase } from './pool.ts'

test('a server that has gone silent is cut off after 20 seconds, and the next request gets through', async () => {
  const clone = await cloneDatabase()
  const { hostname, port } = new URL(clone.url)
  const sockets: Socket[] = []
  // Passes bytes on until it is told to swallow them, as a network does that has lost its way.
  let isSilent = false
  const proxy = createServer((near) => {
    const far = connect(Number(port), hostname)
    sockets.push(near, far)
    near.on('data', (bytes) => isSilent || far.write(bytes))
    far.on('data', (bytes) => near.write(bytes))
    near.on('close', () => far.destroy())
    near.on('error', () => {})
    far.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const through = new URL(clone.url)
  through.port = String((proxy.address() as AddressInfo).port)
  mock.timers.enable({ apis: ['setTimeout'] })
  const database = openDatabase(Secret.fromText(through.href), pino({ level: 'silent' }), {
    connections: 1,
  })
  const one = { name: 'one', text: 'select 1 as one', values: [] }
  await database.send(one)

  isSilent = true
  const refused = assert.rejects(database.send(one), {
    code: 'database_unavailable',
    retryAfterSeconds: 2,
  })
  // The connection is taken from the pool in a few ticks; only then is the answer waited for.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  mock.timers.tick(20_000)
  await refused
  mock.timers.reset()

  isSilent = false
  assert.deepEqual(await database.send(one), [[{ one: 1 }]])
  await database.pool.end()
  for (const socket of sockets) socket.destroy()
  proxy.close()
  await clone.drop()
})
