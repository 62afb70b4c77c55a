import { join } from 'node:path'

/** Arguments for Node, of a process or of a thread, that is to run TypeScript. */
export const TYPESCRIPT: readonly string[] = ['-r', join(__dirname, '../tools/build/typescript.cjs')]
