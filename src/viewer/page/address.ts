import { TIME_MODES, type TimeMode } from './text'

/** What can be shared of a view: it stands behind the `#` of the page's address, which no server ever sees. */
export interface View {
  /** Incident of a directory. */
  readonly id: string
  readonly filter: string
  /** `seq` of the selected event. */
  readonly selected: number | undefined
  /** Part of the timeline that is shown, in microseconds from its origin. */
  readonly zoom: readonly [from: number, to: number] | undefined
  readonly tree: boolean
  /** Equal lines in a row are shown as one. */
  readonly fold: boolean
  readonly time: TimeMode
  readonly detail: boolean
}

export const FIRST_VIEW: View = {
  id: '',
  filter: '',
  selected: undefined,
  zoom: undefined,
  tree: false,
  fold: true,
  time: 'relative',
  detail: false,
}

/** @param hash with or without its `#`; whatever is wrong in it is left out */
export function parseAddress(hash: string): View {
  const params = new URLSearchParams(hash.replace(/^#/, ''))
  const selected = /^\d{1,16}$/.test(params.get('seq') ?? '') ? Number(params.get('seq')) : undefined
  const [, from, to] = /^(-?\d{1,16})\.\.(-?\d{1,16})$/.exec(params.get('zoom') ?? '') ?? []
  const zoom =
    from !== undefined && Number(from) < Number(to) ? ([Number(from), Number(to)] as const) : undefined
  return {
    id: params.get('incident') ?? '',
    filter: params.get('filter') ?? '',
    selected,
    zoom,
    tree: params.has('tree'),
    fold: !params.has('unfold'),
    time: TIME_MODES.find((mode) => mode === params.get('time')) ?? 'relative',
    detail: params.has('open'),
  }
}

export function addressOf(view: View): string {
  const params = new URLSearchParams()
  if (view.id !== '') params.set('incident', view.id)
  if (view.filter !== '') params.set('filter', view.filter)
  if (view.selected !== undefined) params.set('seq', String(view.selected))
  if (view.zoom !== undefined) params.set('zoom', view.zoom.map(Math.round).join('..'))
  if (view.tree) params.set('tree', '')
  if (!view.fold) params.set('unfold', '')
  if (view.time !== 'relative') params.set('time', view.time)
  if (view.detail) params.set('open', '')
  const text = params.toString().replace(/=(?=&|$)/g, '')
  return text === '' ? '' : `#${text}`
}
