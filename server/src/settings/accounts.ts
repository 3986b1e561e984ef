/** Who may have an account. */
import { asChoice } from './forms.ts'
import { withDefault } from './setting.ts'

export const accountsSettings = {
  REGISTRATION: withDefault(
    'open or closed',
    asChoice('open', 'closed'),
    'open',
    'Whether strangers may register.',
  ),
  HOOK_FAILURES: withDefault(
    'log or refuse',
    asChoice('log', 'refuse'),
    'log',
    'What becomes of a sign-up when a function of yours in pie_hooks fails: it goes on and the failure is logged, or it is refused.',
  ),
}
