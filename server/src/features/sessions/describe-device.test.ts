import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DeviceInWords, describeDevice } from './describe-device.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const device = (
  browser: string | null,
  os: string | null,
  type: string | null,
  description = `${browser} on ${os}`,
): DeviceInWords => ({ description, browser, os, type })

const devices: [string, DeviceInWords][] = [
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/143.0.0.0 Safari/537.36`,
    device('Chrome', 'Windows', 'desktop'),
  ],
  [
    `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/143.0.0.0 Mobile Safari/537.36`,
    device('Chrome', 'Android', 'mobile'),
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0',
    device('Firefox', 'macOS', 'desktop'),
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    device('Firefox', 'Linux', 'desktop'),
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1',
    device('Safari', 'iOS', 'mobile'),
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1',
    device('Safari', 'iOS', 'tablet'),
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0`,
    device('Microsoft Edge', 'Windows', 'desktop'),
  ],
  ['curl/8.14.1', device(null, null, null, 'curl')],
  ['Shopping/3.2 CFNetwork/3826.500 Darwin/24.6.0', device(null, null, null, 'Shopping')],
  ['Shopping/3.2 (iPhone; iOS 18.6; Scale/3.00)', device(null, 'iOS', 'mobile', 'Shopping on iOS')],
  ['ada-cli 1.0', device(null, null, null, 'ada-cli 1.0')],
]

describe('a device in words', () => {
  for (const [userAgent, expected] of devices) {
    test(`is ${expected.description}, where it says ${userAgent.slice(0, 40)}`, () => {
      assert.deepEqual(describeDevice(userAgent), expected)
    })
  }

  test('is unknown where it says nothing, or nothing to be repeated', () => {
    const unknown = device(null, null, null, 'Unknown device')
    for (const userAgent of [null, '', ' ', '<script>alert(1)</script>', '/x', '1'])
      assert.deepEqual(describeDevice(userAgent), unknown, String(userAgent))
  })

  test('never repeats more than a short name', () => {
    for (const userAgent of [
      'x'.repeat(512),
      `x<b>${'y'.repeat(500)}`,
      `${'x'.repeat(400)}/1 y`,
      'x <b>bold</b>/1 y',
      'Your bank & Co/1 y',
      'curl\n\nEvil/1.0',
    ])
      assert.match(describeDevice(userAgent).description, /^[\w .-]{1,60}$/, userAgent)
  })
})
