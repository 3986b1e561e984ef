import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestPie, type TestPie } from '../harness/pie.ts'

let proxied: TestPie
let direct: TestPie
before(async () => {
  proxied = await startTestPie({ settings: { TRUSTED_PROXIES: '127.0.0.1' } })
  direct = await startTestPie({ databaseUrl: proxied.databaseUrl })
})
after(async () => {
  await direct.close()
  await proxied.close()
})

const LIMIT = 600_000

/** How many requests this one was counted as, of its network's. */
async function countOf(address: string, node = proxied, path = '/health/live'): Promise<number> {
  const { headers } = await node.request(path, { headers: { 'x-forwarded-for': address } })
  return LIMIT - Number(headers.get('x-ratelimit-remaining'))
}

describe('requests are counted', () => {
  test('by IPv4 address', async () => {
    assert.equal(await countOf('203.0.113.1'), 1)
    assert.equal(await countOf('203.0.113.1'), 2)
    assert.equal(await countOf('203.0.113.2'), 1)
    assert.equal(await countOf('::ffff:203.0.113.1'), 3)
    assert.equal(await countOf('::FFFF:203.0.113.1'), 4)
  })

  test('by the /64 of an IPv6 address, however it is written', async () => {
    const neighbours = [
      '2001:db8:0:1::1',
      '2001:db8:0:1::2',
      '2001:db8:0:1:ffff:ffff:ffff:ffff',
      '2001:0db8:0000:0001:0000:0000:0000:0001',
      '2001:DB8:0:1::ABCD',
      '2001:db8::1:0:0:0:1',
      '2001:db8:0:1:2:3:192.0.2.1',
      '2001:db8::1:2:3:192.0.2.1',
      '2001:db8:0:1::1%eth0',
    ]
    for (const [index, address] of neighbours.entries())
      assert.equal(await countOf(address), index + 1, address)
    for (const stranger of ['2001:db8:0:2::1', '2001:db8:1:1::1', '2001:db9:0:1::1'])
      assert.equal(await countOf(stranger), 1, stranger)
  })

  test('by route', async () => {
    assert.equal(await countOf('203.0.113.9'), 1)
    assert.equal(await countOf('203.0.113.9', proxied, '/health/ready'), 1)
    assert.equal(await countOf('203.0.113.9', proxied, '/.well-known/jwks.json'), 1)
    assert.equal(await countOf('203.0.113.9'), 2)
  })

  test('by connection, whatever they say, where nobody vouches for it', async () => {
    for (let count = 1; count <= 5; count += 1)
      assert.equal(await countOf(`203.0.113.${100 + count}`, direct), count)
    // The address that is ours says nothing in front of the one that the proxy adds.
    assert.equal(await countOf('192.0.2.1, 203.0.113.77'), 1)
    assert.equal(await countOf('192.0.2.2, 203.0.113.77'), 2)
    assert.equal(await countOf('127.0.0.1, 203.0.113.77'), 3)
  })
})
