import Bowser from 'bowser'

/** A device, in words for the person whose it is. Null for what cannot be told. */
export interface DeviceInWords {
  /** `Firefox on Windows` */
  description: string
  browser: string | null
  os: string | null
  type: string | null
}

const knownBrowsers: ReadonlySet<string> = new Set(Object.values(Bowser.BROWSER_MAP))

/** Tells a browser by its user agent; another program by the name that it gives itself. */
export function describeDevice(userAgent: string | null): DeviceInWords {
  const found = userAgent === null || userAgent === '' ? null : Bowser.parse(userAgent)
  // For what it does not know, Bowser makes a name of any text that has a slash in it.
  const browser = knownBrowsers.has(found?.browser.name ?? '')
    ? (found?.browser.name ?? null)
    : null
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
