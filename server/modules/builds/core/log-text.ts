/**
 * The bytes as text without a character that is cut at the end, and how many bytes that are; so that pieces read one
 * after another join to the whole. Bytes that are no UTF-8 become U+FFFD.
 */
export function wholeCharacters(bytes: Buffer): { text: string; length: number } {
  const length = bytes.length - cutBytes(bytes);
  return { text: bytes.toString("utf8", 0, length), length };
}

/** How many bytes at the end begin a character whose rest is missing: 0 to 3. */
function cutBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < widthOf(byte) ? back : 0;
  }
  return 0;
}

function widthOf(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}
