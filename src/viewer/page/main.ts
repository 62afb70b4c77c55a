import { runWorker } from './worker'

/** One script for both, the page and the thread that it starts: what draws is not run where there is nothing to draw on. */
if (typeof document === 'undefined') runWorker()
else void import('./session').then(({ Session }) => new Session().start())
