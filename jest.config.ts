/** @jest-config-loader esbuild-register */
import type { Config } from 'jest'

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/\\.build'],
  globalSetup: '<rootDir>/tools/build/before-tests.ts',
  setupFiles: ['<rootDir>/test/environment.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Three at once, whatever the machine: many tests start programs of their own, and wait for some of them.
  maxWorkers: 3,
  // Nothing takes that long; a machine that is busy with other things does.
  testTimeout: 30_000,
}
export default config
