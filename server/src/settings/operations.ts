/** What operators watch. */
import { asChoice } from './forms.ts'
import { withDefault } from './setting.ts'

export const operationsSettings = {
  LOG_LEVEL: withDefault(
    'level',
    asChoice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'The least serious lines that are logged. At debug there is one for every request.',
  ),
}
