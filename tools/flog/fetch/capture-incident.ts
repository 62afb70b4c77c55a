import { FlogError } from '../../../src/base/errors'
import { CONTROL_LOGPORT_FILE } from '../../../src/remote/logport'
import { Problem } from '../failure'
import { connectRemote, publisherText } from '../remote'
import { summaryJson } from '../show/event-json'
import { logportOf } from '../target'
import type { ExitCode, Surroundings } from '../verb'
import type { CaptureOptions } from '../verbs/capture'

/** @throws Problem where the logport is one for reading, or the publisher's limits hold the incident back */
export async function captureIncident(
  given: string | undefined,
  { message, json }: CaptureOptions,
  io: Surroundings,
): Promise<ExitCode> {
  const remote = await connectRemote(await logportOf(given, CONTROL_LOGPORT_FILE, io), io)
  try {
    const summary = await remote.capture(message, { signal: io.signal })
    if (summary === undefined)
      throw new Problem('the limits of the process do not allow another incident now')
    io.out.line(json === true ? JSON.stringify(summaryJson(summary)) : summary.id)
    io.talk(
      `flog: ${publisherText(remote)} records an incident; to fetch it: flog fetch LOGPORT ${summary.id}`,
    )
    return 0
  } catch (error) {
    if (!FlogError.is(error, 'FLOG_REMOTE_FORBIDDEN')) throw error
    throw new Problem(error.message, `it is in the file ${CONTROL_LOGPORT_FILE} beside the other`)
  } finally {
    await remote.close()
  }
}
