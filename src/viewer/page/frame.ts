/** Draws in the next frame, once, however often it is asked for until then. */
export function oncePerFrame(draw: () => void): () => void {
  let isWaiting = false
  return () => {
    if (isWaiting) return
    isWaiting = true
    requestAnimationFrame(() => {
      isWaiting = false
      draw()
    })
  }
}
