/**
 * The file of a black box: a copy of the rings of a process, never far behind (FORMAT.md, "Black box").
 *
 * ```
 *   0          64 KiB         128 KiB        192 KiB
 *   ┌─────────┬──────────────┬──────────────┬────────────────────────┬────────────────────────┬─
 *   │ head    │ superblock 0 │ superblock 1 │ area of ring 0         │ area of ring 1         │ …
 *   └─────────┴──────────────┴──────────────┴────────────────────────┴────────────────────────┴─
 *    magic line, header        by turns      ┌───────────┬───────────────────────────────────┐
 *                                            │ what ring │ its words, as they are in memory  │
 *                                            └───────────┴───────────────────────────────────┘
 *                                            0           4 KiB               4 KiB + capacity
 * ```
 *
 * An area whose thread ended may be given to another ring; there are gaps where one of another size was.
 *
 * Head and descriptions of areas are written before anybody can see the file, or the area. After that each poll writes
 * the new words of the rings, each at the place that it has in memory, and then the older of the two superblocks, which
 * says how far the words are valid. A process that dies at any moment leaves one whole superblock, and words that are those
 * of that superblock, or newer ones: frames carry their length and number at both ends, so a reader can tell.
 *
 * The file has holes where nothing was written, so a large ring costs no disk before it is used.
 */
const KiB = 1024

export const HEAD_BYTES = 64 * KiB
export const SUPERBLOCK_BYTES = 64 * KiB
export const SUPERBLOCK_AT = [HEAD_BYTES, HEAD_BYTES + SUPERBLOCK_BYTES] as const
export const AREAS_AT = HEAD_BYTES + 2 * SUPERBLOCK_BYTES
/** What an area starts with: a page, so that the words begin at the start of one. */
export const AREA_HEAD_BYTES = 4 * KiB

/** A checked value: `u32 CRC-32 | u32 length | MessagePack`, the CRC over what follows it. */
export const VALUE_HEAD_BYTES = 8

/** Bytes of the area of one ring. @param words its capacity */
export function areaBytes(words: number): number {
  return AREA_HEAD_BYTES + words * 4
}
