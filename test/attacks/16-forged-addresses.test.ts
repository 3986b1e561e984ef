import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'

let direct: TestPie
let proxied: TestPie
let twoProxies: TestPie
let nodes: TestPie[]
before(async () => {
  direct = await startTestPie()
  const { databaseUrl } = direct
  const trust = (TRUSTED_PROXIES: string) =>
    startTestPie({ databaseUrl, settings: { TRUSTED_PROXIES } })
  proxied = await trust('127.0.0.1')
  twoProxies = await trust('127.0.0.0/8,2001:db8:ffff::/48')
  nodes = [twoProxies, proxied, direct]
  await register(direct, 'ada')
})
after(async () => {
  for (const node of nodes) await node.close()
})

/** The address that a sign-in is written down with: in the list of devices and in the log. */
async function addressOf(node: TestPie, headers: Record<string, string>): Promise<string> {
  const body = { email: 'ada@example.com', password: goodPassword }
  const { body: tokens, status } = await node.request('/auth/login', { body, headers })
  assert.equal(status, 200)
  const { sessions } = (await node.request('/auth/sessions', { token: tokens.access_token })).body
  const { id, address } = sessions.find((session: { is_current: boolean }) => session.is_current)
  const { rows } = await node.owner.query(
    'select distinct host(address) as address from pie_private.audit_log where session_id = $1',
    [id],
  )
  assert.deepEqual(rows, [{ address }])
  return address
}

const forwardedFor = (addresses: string) => ({ 'x-forwarded-for': addresses })

describe('where a request comes from', () => {
  test('is not what it says, when nobody vouches for it', async () => {
    for (const headers of [
      forwardedFor('203.0.113.7'),
      forwardedFor('203.0.113.7, 127.0.0.1'),
      { forwarded: 'for=203.0.113.7' },
      { 'x-real-ip': '203.0.113.7', 'x-client-ip': '203.0.113.7', 'true-client-ip': '203.0.113.7' },
      { 'cf-connecting-ip': '203.0.113.7', 'fastly-client-ip': '203.0.113.7' },
    ]) {
      assert.equal(await addressOf(direct, headers), '127.0.0.1', JSON.stringify(headers))
    }
  })

  test('is what the trusted proxy says, and not what was said to the proxy', async () => {
    const told: Record<string, string> = {
      '203.0.113.7': '203.0.113.7',
      '192.0.2.66, 203.0.113.7': '203.0.113.7',
      '127.0.0.1, 192.0.2.66, 203.0.113.7': '203.0.113.7',
      '203.0.113.7, 127.0.0.1': '203.0.113.7',
      '2001:db8::7': '2001:db8::7',
      '::ffff:203.0.113.7': '203.0.113.7',
      '::FFFF:203.0.113.7': '203.0.113.7',
      'fe80::7%eth0': 'fe80::7',
    }
    for (const [said, address] of Object.entries(told))
      assert.equal(await addressOf(proxied, forwardedFor(said)), address, said)
  })

  test('is believed only as far as the chain is trusted', async () => {
    const told: Record<string, string> = {
      '192.0.2.66, 203.0.113.7, 2001:db8:ffff::1': '203.0.113.7',
      '192.0.2.66, 2001:db8:ffff::1': '192.0.2.66',
      '192.0.2.66, 2001:db8:fffe::1': '2001:db8:fffe::1',
      '192.0.2.66, 203.0.113.7, 127.9.9.9, 2001:db8:ffff::2': '203.0.113.7',
    }
    for (const [said, address] of Object.entries(told))
      assert.equal(await addressOf(twoProxies, forwardedFor(said)), address, said)
  })

  test('is the one that the proxy names with its port, as some do', async () => {
    const told = { '203.0.113.7:4711': '203.0.113.7', '[2001:db8::7]:4711': '2001:db8::7' }
    for (const [said, address] of Object.entries(told))
      assert.equal(await addressOf(proxied, forwardedFor(said)), address, said)
  })

  test('is the proxy itself, when what it says is no address', async () => {
    for (const said of [
      'unknown',
      '_hidden',
      '203.0.113.999:4711',
      '203.0.113.999',
      '0x7f.1',
      '3405803783',
      '203.0.113.7/24',
      `'; drop table pie_private.sessions; --`,
      '192.0.2.66, unknown',
      '',
      ',',
      'x'.repeat(5000),
    ]) {
      assert.equal(await addressOf(proxied, forwardedFor(said)), '127.0.0.1', said)
    }
  })
})
