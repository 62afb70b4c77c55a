import { spawn } from 'node:child_process'
import type { Surroundings } from '../verb'

/** Opens an address where there is a desktop. False where there is none, or nothing that opens addresses. */
export async function openBrowser(address: string, { env, interactive }: Surroundings): Promise<boolean> {
  const command = commandFor(env, interactive)
  if (command === undefined) return false
  const [program = '', ...args] = command
  return new Promise((resolve) => {
    const child = spawn(program, [...args, address], { detached: true, stdio: 'ignore' })
    child.on('error', () => resolve(false))
    child.on('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}

/** Not over ssh: the browser that would open is not the one that somebody sits at. */
function commandFor(env: Surroundings['env'], interactive: boolean): readonly string[] | undefined {
  if (!interactive || env['SSH_CONNECTION']) return undefined
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['cmd', '/c', 'start', '']
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined
}
