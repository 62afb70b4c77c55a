import { join } from 'node:path'
import { type MainJobResult, mainJob } from '../../../tools/main-job/main-job'

describe('a real service under load, broken, read from another process over TLS', () => {
  let result: MainJobResult
  beforeAll(async () => {
    result = await mainJob({ dist: join(__dirname, '../../../dist'), healthyMs: 500, clients: 48 })
  }, 60_000)

  test('serves real load, and breaks', () => {
    // One request in twenty keeps a lease, of which there are 32.
    expect(result.load.served).toBeGreaterThan(600)
    expect(result.load.failed).toBeGreaterThan(0)
  })

  test('the incident is listed with its trigger, and the fetched file is whole', () => {
    expect(result.listed.length).toBeGreaterThanOrEqual(1)
    expect(JSON.stringify(result.listed[0])).toContain('payment {id} failed')
    expect(result.verified).toMatch(/whole/)
  })

  test('the dump begins with the header and ends with the trailer', () => {
    expect(result.dump[0]).toMatchObject({ header: { service: 'shop', version: '1.4.2' } })
    expect(result.dump.at(-1)).toMatchObject({ trailer: { reason: expect.any(String) } })
  })

  test('the trigger is marked once, filled in, and has its error and trace', () => {
    const triggers = result.dump.filter((line) => line['trigger'] === true)
    expect(triggers).toHaveLength(1)
    const [trigger] = triggers
    expect(trigger).toMatchObject({
      severity: 'error',
      facility: 'payment',
      traceId: expect.stringMatching(/^trace-/),
    })
    expect(trigger?.['message']).toMatch(/^payment \d+ failed/)
    expect(JSON.stringify(trigger?.['error'])).toContain('no connection within 300 ms')
  })

  test('what led up to it is there, down to the lowest level, in order', () => {
    const events = result.dump.slice(1, -1)
    const seqs = events.map((event) => event['seq'] as number)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    const messages = new Set(events.map((event) => String(event['message']).replace(/\d+/g, 'n')))
    for (const expected of [
      'lease taken',
      'lease not returned',
      'pool exhausted, n waiting',
      'query',
      'request',
    ]) {
      expect(messages).toContain(expected)
    }
    expect(new Set(events.map((event) => event['severity']))).toContain('trace')
  })
})
