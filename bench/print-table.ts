import type { Measurement } from './measurement.ts'

/** The measurements as a table: what Pie does, what its floor does, one divided by the other. */
export function printTable(measurements: Measurement[]): string {
  const heads = ['scenario', 'postgres', 'unit', 'pie', 'floor', 'ratio', 'aim']
  const lines = measurements.map(({ scenario, postgres, unit, pie, floor, ratio, aim }) => [
    scenario,
    postgres === undefined ? '' : String(postgres),
    unit,
    formatNumber(pie),
    floor === null ? '' : formatNumber(floor),
    ratio?.toFixed(2) ?? '',
    aim ?? '',
  ])
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const isNumber = (column: number) => column >= 3 && column <= 5
  return [heads, ...lines]
    .map((line) =>
      line
        .map((text, column) => {
          const width = widths[column] ?? 0
          return isNumber(column) ? text.padStart(width) : text.padEnd(width)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Three digits are all that a measurement like this has. */
function formatNumber(number: number): string {
  const digits = number < 10 ? 2 : number < 100 ? 1 : 0
  return number.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}
