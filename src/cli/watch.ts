/**
 * Frames as they pass a link: a {@link Capture} whose stream is read back at once, so that what is
 * shown is what a file would hold.
 */
import { readCapture } from '../link/capture/capture-reader.ts'
import type { CapturedFrame } from '../link/capture/pcapng.ts'

/** pcapng's Enhanced Packet Block. */
const FRAME = 6

/** A sink for `new Capture(…)` that calls `see` with every frame. */
export function frameReader(see: (frame: CapturedFrame) => void): (chunk: Uint8Array) => void {
  // The section's header and the interfaces, without which a frame's block says little.
  let head = Buffer.alloc(0)
  return (chunk) => {
    const bytes = Buffer.concat([head, chunk])
    if (chunk[0] !== FRAME) head = bytes
    else for (const frame of readCapture(bytes)) see(frame)
  }
}
