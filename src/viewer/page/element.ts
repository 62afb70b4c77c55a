/** An element of the page's own frame. @throws Error where page and script are not of one make */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}
