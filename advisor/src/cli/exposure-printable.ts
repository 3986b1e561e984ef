import type { Exposure } from '../exposure/exposure.ts'
import { onOneLine } from './printable.ts'

/** Of these, line breaks are made spaces later. */
const ofSeveralLines = new Set(['using', 'with_check', 'definition'])

/** A map whose names a terminal or a page may be given, a line each. */
export const printableExposure = (exposure: Exposure): Exposure =>
  JSON.parse(JSON.stringify(exposure), (key, value) =>
    typeof value === 'string' && !ofSeveralLines.has(key) ? onOneLine(value) : value,
  )
