/** Types of blocks and codes of options of pcapng (draft-ietf-opsawg-pcapng), written and read. */

export const SECTION_HEADER = 0x0a0d0d0a
export const INTERFACE_DESCRIPTION = 1
export const ENHANCED_PACKET = 6
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d

export const OPT_COMMENT = 1
export const IF_NAME = 2
export const IF_TSRESOL = 9
export const EPB_FLAGS = 2

/** The length of options and of what is before them is a multiple of four. */
export function padded(length: number): number {
  return (length + 3) & ~3
}
