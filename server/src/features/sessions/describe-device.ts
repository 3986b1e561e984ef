import Bowser from 'bowser'

/** A device, in words for the person whose it is. Null for what cannot be told. */
export interface DeviceInWords {
  /** `Firefox on Windows` */
  description: string
  browser: string | null
  os: string | null
  type: string | null
}

/** Tells a browser by its user agent; another program by the name that it gives itself. */
export function describeDevice(userAgent: string | null): DeviceInWords {
  const found = userAgent === null || userAgent === '' ? null : Bowser.parse(userAgent)
  const browser = found?.browser.name || null
  const os = found?.os.name || null
  const program = /^[A-Za-z][\w .-]{0,40}(?=[/ ]|$)/.exec(userAgent ?? '')?.[0] ?? null
  const name = browser ?? program ?? 'Unknown device'
  return {
    description: os === null ? name : `${name} on ${os}`,
    browser,
    os,
    type: found?.platform.type || null,
  }
}
