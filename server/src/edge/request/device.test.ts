import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { addressOf, networkOf } from './device.ts'

/** A request from this connection, for which Fastify has found that client. */
const from = (remoteAddress: string | undefined, ip: string) => ({
  method: 'GET',
  headers: {},
  raw: { rawHeaders: [] },
  ip,
  socket: { remoteAddress },
})

const group = fc
  .oneof(fc.constantFrom(0, 1, 0xffff), fc.nat(0xffff))
  .chain((value) =>
    fc.constantFrom(
      value.toString(16),
      value.toString(16).padStart(4, '0'),
      value.toString(16).toUpperCase(),
    ),
  )
const groups = (count: number) => fc.array(group, { minLength: count, maxLength: count })
const ipv4 = fc.ipV4()

/** IPv6 in every form that there is: whole, compressed anywhere, and with an IPv4 address at its end. */
const ipv6 = fc.oneof(
  groups(8).map((all) => all.join(':')),
  fc.tuple(groups(6), ipv4).map(([head, tail]) => `${head.join(':')}:${tail}`),
  fc
    .nat(7)
    .chain((count) =>
      fc
        .nat(7 - count)
        .chain((rest) =>
          fc.tuple(groups(count), groups(rest)).map(([a, b]) => `${a.join(':')}::${b.join(':')}`),
        ),
    ),
  fc
    .nat(5)
    .chain((count) =>
      fc
        .nat(5 - count)
        .chain((rest) =>
          fc
            .tuple(groups(count), groups(rest), ipv4)
            .map(([a, b, tail]) => `${a.join(':')}::${[...b, tail].join(':')}`),
        ),
    ),
  fc.ipV6(),
  ipv4.map((address) => `::ffff:${address}`),
)

describe('the network that an address is counted by', () => {
  let database: TestDatabase
  let owner: pg.Client
  before(async () => {
    database = await cloneDatabase()
    owner = new pg.Client({ connectionString: database.url })
    await owner.connect()
  })
  after(async () => {
    await owner.end()
    await database.drop()
  })

  const assertSameAsPostgres = async (addresses: string[]): Promise<void> => {
    const { rows } = await owner.query(
      `select address, network, pie_private.network_of(address::inet) as right_network
       from unnest($1::text[], $2::text[]) as given (address, network)
       where network::cidr <> pie_private.network_of(address::inet)::cidr`,
      [addresses, addresses.map(networkOf)],
    )
    assert.deepEqual(rows, [])
  }

  test('is the same to Pie and to Postgres, however the address is written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ipv6, { minLength: 200, maxLength: 200 }), assertSameAsPostgres),
      { numRuns: 20 },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(ipv4, { minLength: 50, maxLength: 50 }), assertSameAsPostgres),
      { numRuns: 4 },
    )
  })

  test('is written in one way, whichever way its addresses are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ipv6, { minLength: 100, maxLength: 100 }), async (addresses) => {
        const { rows } = await owner.query(
          'select address, host(address::inet) as plain from unnest($1::text[]) as given (address)',
          [addresses],
        )
        const strays = rows.filter(({ address, plain }) => networkOf(address) !== networkOf(plain))
        assert.deepEqual(strays, [])
      }),
      { numRuns: 20 },
    )
  })

  test('is an IPv4 address itself, and the /64 of an IPv6 address', () => {
    assert.equal(networkOf('203.0.113.7'), '203.0.113.7')
    assert.equal(networkOf('2001:db8::7'), '2001:db8:0:0::/64')
    assert.equal(networkOf('2001:DB8:0:00A1:1:2:3:4'), '2001:db8:0:a1::/64')
    assert.equal(networkOf('::1'), '0:0:0:0::/64')
    assert.equal(networkOf('1::2:3:4:5:192.0.2.1'), '1:0:2:3::/64')
  })

  test('is the IPv4 address inside IPv6 by itself, in decimal or in hexadecimal', () => {
    for (const address of [
      '::ffff:203.0.113.7',
      '::ffff:cb00:7107',
      '0:0:0:0:0:FFFF:CB00:7107',
      '::ffff:0:203.0.113.7',
      '::ffff:0:cb00:7107',
      '64:ff9b::203.0.113.7',
      '64:ff9b::cb00:7107',
    ]) {
      assert.equal(networkOf(address), '203.0.113.7', address)
      assert.equal(addressOf(from(address, '')), '203.0.113.7', address)
    }
    assert.notEqual(networkOf('::ffff:cb00:7107'), networkOf('::ffff:cb00:7108'))
    assert.equal(networkOf('::fffe:cb00:7107'), '0:0:0:0::/64')
  })

  test('is the same to Postgres for an IPv4 address inside IPv6', async () => {
    const inside = fc
      .tuple(fc.constantFrom('::ffff:', '::ffff:0:', '64:ff9b::'), ipv4, fc.boolean())
      .map(([prefix, address, isHexadecimal]) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
        const hexadecimal = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
        return `${prefix}${isHexadecimal ? hexadecimal : address}`
      })
    await fc.assert(
      fc.asyncProperty(fc.array(inside, { minLength: 50, maxLength: 50 }), assertSameAsPostgres),
      { numRuns: 4 },
    )
  })
})

describe('the address that a request comes from', () => {
  test('is an address, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.option(fc.string(), { nil: undefined }),
        (ip, remote) => {
          assert.match(addressOf(from(remote, ip)), /^[0-9a-f.:]+$/i)
        },
      ),
    )
    assert.equal(addressOf(from(undefined, 'unknown')), '0.0.0.0')
    assert.equal(addressOf(from('192.0.2.1', 'unknown')), '192.0.2.1')
    assert.equal(addressOf(from('192.0.2.1', '203.0.113.7')), '203.0.113.7')
  })

  test('is an IPv4 address inside IPv6 by itself, and an IPv6 address without its zone', () => {
    fc.assert(
      fc.property(ipv4, ipv6, fc.stringMatching(/^[a-z0-9.]{1,8}$/), (four, six, zone) => {
        assert.equal(addressOf(from(undefined, `::ffff:${four}`)), four)
        assert.equal(addressOf(from(`::FFFF:${four}`, '')), four)
        const address = addressOf(from(undefined, six))
        assert.equal(addressOf(from(undefined, `${six}%${zone}`)), address)
      }),
    )
  })
})
