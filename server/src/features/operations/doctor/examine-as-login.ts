import type { Ground } from '../../../ground/ground.ts'
import { askingAsLogin } from './asking.ts'
import { examine, type Logins } from './examine.ts'
import type { Finding } from './finding.ts'

const whoAmI = { name: '', text: 'select session_user::text as name', values: [] }

/** What a node finds that looks at its database as the login roles it has. */
export async function examineAsLogin({
  auth,
  requests,
  clock,
}: Pick<Ground, 'auth' | 'requests' | 'clock'>): Promise<{ findings: Finding[]; logins: Logins }> {
  const [[[ofAuth] = []], [[ofRequests] = []]] = await Promise.all([
    auth.send(whoAmI),
    requests.send(whoAmI),
  ])
  const logins = { auth: String(ofAuth?.['name']), requests: String(ofRequests?.['name']) }
  return { findings: await examine(askingAsLogin(auth), clock, logins), logins }
}
