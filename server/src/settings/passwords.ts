/** What a password has to be. */
import { asNumber } from './forms.ts'
import { withDefault } from './setting.ts'

export const passwordsSettings = {
  PASSWORD_MIN_LENGTH: withDefault(
    'number',
    asNumber(8, 128),
    '10',
    'The least number of characters in a new password.',
  ),
}
