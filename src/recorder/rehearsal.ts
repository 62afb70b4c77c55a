import { openSync } from 'node:fs'
import { devNull } from 'node:os'
import type { Clock } from '../base/clock'
import { currentIdentity } from '../base/identity'
import { EncodedEvent } from '../codec/view'
import { IncidentDirectory, type PlainFile } from '../incident/directory'
import { fingerprintOf } from '../incident/fingerprint'
import type { IncidentHeader } from '../incident/header'
import type { MarkedEvent } from '../incident/history'
import { Report } from '../incident/report'
import type { RingHandle } from '../ring/layout'

/**
 * Writes a whole report, of made-up events, into nothing: what the first trigger of a process would run for the first time
 * has then been run, and compiled. Nobody hears of it.
 * @param trigger an event of `rings`
 */
export function rehearseReport(rings: readonly RingHandle[], trigger: MarkedEvent, clock: Clock): void {
  const report = new Report({
    header: madeUpHeader(trigger, clock),
    sync: new Uint8Array(16),
    trigger,
    rings,
    thread: 0,
    cap: { events: 2, ms: 1000 },
    historyBytes: undefined,
    durable: false,
    directory: new Nowhere({ path: '.' }),
    clock,
    onTrouble: () => {},
    onClosed: () => {},
  })
  report.begin()
  report.furtherTrigger(trigger.payload, {
    seq: trigger.seq,
    time: 0,
    kind: 'event',
    reason: '',
    fingerprint: '',
  })
  report.event(trigger.payload, trigger.seq)
  report.close('closed')
  report.release()
}

class Nowhere extends IncidentDirectory {
  override createPlainSync(): PlainFile {
    return { fd: openSync(devNull, 'w'), path: devNull }
  }
}

function madeUpHeader(trigger: MarkedEvent, clock: Clock): IncidentHeader {
  const event = new EncodedEvent(trigger.payload)
  return {
    type: 'incident',
    format: '1.0',
    id: '0000000000000000-0',
    incarnation: '0000000000000000',
    number: 0,
    openedAt: clock.now(),
    trigger: { kind: 'event', reason: '', fingerprint: fingerprintOf(event), event: event.decoded },
    service: '',
    version: '',
    host: '',
    pid: 0,
    process: currentIdentity(),
    versions: {},
    rings: [],
    suppressed: { perHour: 0, perFingerprint: 0, coolDown: 0 },
    postTrigger: { events: 2, ms: 1000 },
  }
}
