import fc from 'fast-check'
import {
  claimPath,
  compareIncidentIds,
  finishedPath,
  incidentId,
  parseFileName,
  parseIncidentId,
  plainFileName,
  plainPath,
  temporaryPath,
} from '../../src/incident/name'

const ID = '0123456789abcdef-7'
const PLAIN = `20261121T203105.123Z-${ID}.incident.flog`
const OPENED_AT = Date.UTC(2026, 10, 21, 20, 31, 5, 123) * 1000
const OWNER = 'fedcba9876543210-4711-123456'

describe('incident file names', () => {
  test('say when and which, and sort by time', () => {
    expect(plainFileName(OPENED_AT + 456, ID)).toBe(PLAIN)
    expect(plainFileName(OPENED_AT + 1000, ID) > PLAIN).toBe(true)
  })

  test('are parsed back, for every time and id', () => {
    const hex = fc.stringMatching(/^[0-9a-f]{16}$/)
    const ms = fc.integer({ min: 0, max: Date.UTC(2255, 0, 1) })
    fc.assert(
      fc.property(
        hex,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        ms,
        (incarnation, number, time) => {
          const id = incidentId(incarnation, number)
          const parsed = parseFileName(plainFileName(time * 1000, id))
          expect(parsed).toMatchObject({ kind: 'plain', id, openedAt: time * 1000 })
          expect(parseIncidentId(id)).toEqual({ incarnation, number })
        },
      ),
    )
  })

  test('tell plain, finished, claimed and temporary files apart and lead from one to the other', () => {
    const plain = `/some/where/${PLAIN}`
    const claim = claimPath(plain, OWNER)
    const temporary = temporaryPath(claim, OWNER, '00c0ffee')
    expect(parseFileName(PLAIN)).toMatchObject({
      kind: 'plain',
      plainName: PLAIN,
      id: ID,
      openedAt: OPENED_AT,
    })
    expect(parseFileName(`${PLAIN}.gz`)).toMatchObject({ kind: 'gzip', plainName: PLAIN, id: ID })
    expect(parseFileName(claim.slice(12))).toMatchObject({
      kind: 'claim',
      plainName: PLAIN,
      id: ID,
      owner: OWNER,
    })
    expect(parseFileName(temporary.slice(12))).toMatchObject({
      kind: 'temporary',
      plainName: PLAIN,
      owner: OWNER,
    })
    expect(finishedPath(claim)).toBe(`${plain}.gz`)
    expect(plainPath(claim)).toBe(plain)
    expect(claimPath(claim, 'other')).toBe(`${plain}.claim-other`)
  })

  test('a file that somebody renamed is still an incident file, without time and id', () => {
    expect(parseFileName('the night it broke.incident.flog.gz')).toEqual({
      name: 'the night it broke.incident.flog.gz',
      kind: 'gzip',
      plainName: 'the night it broke.incident.flog',
    })
  })

  test('other names are none of ours', () => {
    for (const name of [
      'notes.txt',
      '.hidden.incident.flog',
      `${PLAIN}.gz.part`,
      'incident.flog',
      '',
      'x.incident.flog.bz2',
    ]) {
      expect(parseFileName(name)).toBeUndefined()
    }
  })

  test('an impossible date is not taken for a time', () => {
    expect(parseFileName(PLAIN.replace('20261121', '20261399'))?.openedAt).toBeUndefined()
  })
})

describe('incident ids', () => {
  test('anything that is not exactly an id is refused', () => {
    const wrong = [
      '',
      ID.toUpperCase(),
      `../${ID}`,
      `${ID}\n`,
      '0123456789abcdef-0',
      '0123456789abcdef-07',
      7,
      null,
      [ID],
    ]
    for (const id of wrong) expect(parseIncidentId(id)).toBeUndefined()
    expect(parseIncidentId('0123456789abcdef-9999999999999999')).toBeUndefined()
  })

  test('no file name is made from what is no id', () => {
    expect(() => plainFileName(OPENED_AT, '../../etc/passwd')).toThrow(
      expect.objectContaining({ code: 'FLOG_INCIDENT_UNKNOWN' }),
    )
  })

  test('are ordered by number, not by letter, within an incarnation', () => {
    const ids = ['aaaaaaaaaaaaaaaa-10', 'aaaaaaaaaaaaaaaa-9', '0000000000000000-11']
    expect(ids.sort(compareIncidentIds)).toEqual([
      '0000000000000000-11',
      'aaaaaaaaaaaaaaaa-9',
      'aaaaaaaaaaaaaaaa-10',
    ])
  })
})
