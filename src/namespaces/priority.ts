/**
 * The network goes before the programs that use it: on a machine that is busy with these, its
 * packets would be late. Only root may ask for that (CAP_SYS_NICE); anybody else's run is as
 * punctual as the kernel makes it.
 */
import { systemCalls } from './system-calls.ts'

/** Of this thread; programs that it starts do not inherit it. */
export function goFirst(): void {
  systemCalls().roundRobin()
}
