import { peek, resumed } from '../../src/incident/peek'

async function* pieces(texts: readonly string[], onEnd = () => {}): AsyncGenerator<Uint8Array, void> {
  try {
    for (const text of texts) yield Buffer.from(text)
  } finally {
    onEnd()
  }
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('who has looked at the first bytes still reads all of them', async () => {
  const { first, all } = await peek(pieces(['F', 'L', 'OG and', ' more']), 3)
  expect(Buffer.from(first).toString()).toBe('FLOG and')
  expect(await textOf(all)).toBe('FLOG and more')
})

test('fewer bytes than were asked for are all that come', async () => {
  const { first, all } = await peek(pieces(['F']), 3)
  expect(Buffer.from(first).toString()).toBe('F')
  expect(await textOf(all)).toBe('F')
  const nothing = await peek(pieces([]), 3)
  expect(nothing.first).toHaveLength(0)
  expect(await textOf(nothing.all)).toBe('')
})

test('whoever stops early ends what was not taken', async () => {
  const onEnd = jest.fn()
  const rest = pieces(['a', 'b'], onEnd)
  await rest.next()
  for await (const piece of resumed([Buffer.from('taken')], rest)) {
    expect(Buffer.from(piece).toString()).toBe('taken')
    break
  }
  expect(onEnd).toHaveBeenCalledTimes(1)
})
