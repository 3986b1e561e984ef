import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listeningAddress } from './listening-address.ts'

test('the address of a socket is one that a browser goes to, as it writes it', () => {
  for (const [host, port, address] of [
    ['127.0.0.1', 3000, 'http://127.0.0.1:3000'],
    ['127.0.0.1', 80, 'http://127.0.0.1'],
    ['localhost', 3000, 'http://localhost:3000'],
    ['::1', 3000, 'http://[::1]:3000'],
    ['0:0:0:0:0:0:0:1', 3000, 'http://[::1]:3000'],
    ['0.0.0.0', 3000, 'http://127.0.0.1:3000'],
    ['::', 3000, 'http://[::1]:3000'],
    ['0:0::0', 80, 'http://[::1]'],
    ['192.168.1.5', 8080, 'http://192.168.1.5:8080'],
  ] as const)
    assert.equal(listeningAddress(host, port), address)
})
