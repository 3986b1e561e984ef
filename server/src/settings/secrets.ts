/** What everything secret comes from, and where it is kept when nobody has given it. */
import { asSecretKeys, asText } from './forms.ts'
import { optional, withDefault } from './setting.ts'

export const secretsSettings = {
  SECRET_KEY: optional(
    'keys, comma-separated',
    asSecretKeys,
    'with a database of yours, it has to be set; otherwise made at the first start and kept in DATA_DIR',
    'What every key of Pie is derived from: 32 random characters or more. Of several, the first signs and all verify.',
  ),
  DATA_DIR: withDefault(
    'path',
    asText,
    '.pie',
    'Where Pie keeps what is not in a database of yours.',
  ),
}
