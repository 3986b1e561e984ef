/** Prints docs/configuration.md and .env.example from the settings' own descriptions. */
import { settings } from '../server/src/settings/read-config.ts'

const isLiteral = (name: keyof typeof settings) =>
  settings[name].fallback !== null && settings[name].fallback !== ''

const names = Object.keys(settings) as (keyof typeof settings)[]

export function printConfiguration(): string {
  const rows = names.map((name) => {
    const { form, whenUnset, about } = settings[name]
    return `| \`${name}\` | ${form} | ${isLiteral(name) ? `\`${whenUnset}\`` : whenUnset} | ${about} |`
  })
  return [
    '# Configuration',
    '',
    '<!-- Printed by `npm run print` from server/src/settings/; not to be edited. -->',
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

export function printEnvironmentExample(): string {
  const entries = names.flatMap((name) => {
    const { form, whenUnset, about } = settings[name]
    const unset = isLiteral(name) ? [] : [`# Default: ${whenUnset}.`]
    return ['', `# ${about} (${form})`, ...unset, `# ${name}=${isLiteral(name) ? whenUnset : ''}`]
  })
  return [
    '# Copy to .env and take the # away from what you set. None has to be set.',
    '# Printed by `npm run print` from server/src/settings/; docs/configuration.md says the same as a table.',
    ...entries,
    '',
  ].join('\n')
}
