/** Prints docs/configuration.md from the settings' own descriptions. */
import { settings } from '../server/src/config.ts'

export function printConfiguration(): string {
  const rows = Object.entries(settings).map(
    ([name, { form, fallback, about }]) =>
      `| \`${name}\` | ${form} | ${fallback ? `\`${fallback}\`` : ''} | ${about} |`,
  )
  return [
    '# Configuration',
    '',
    '<!-- Printed by `npm run print` from server/src/config.ts; not to be edited. -->',
    '',
    'Pie reads its settings from the environment, and from a file `.env` in the directory it is started in; the',
    'environment wins. None has to be set: Pie then keeps everything in `.pie`, with a Postgres of its own. Every',
    'mistake is reported at once, by name, and Pie does not start.',
    '',
    'A duration is a number of seconds, or such as `30m`, `12h` or `7d`.',
    '',
    '| setting | form | default | what it is for |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
