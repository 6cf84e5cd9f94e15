export interface CgiHead {
  status: number;
  headers: Record<string, string>;
}

/** Most bytes that a head may have; git's own have a few hundred. */
export const headLimit = 8 * 1024;

/**
 * Splits the first bytes of a CGI answer (RFC 3875) into head and body. Undefined while the head is not complete.
 * @throws when the head is too long or a line of it is no header
 */
export function splitHead(bytes: Buffer): { head: CgiHead; rest: Buffer } | undefined {
  const found = /\r?\n\r?\n/.exec(bytes.subarray(0, headLimit).toString("latin1"));
  if (!found) {
    if (bytes.length >= headLimit) throw new Error("the head of a CGI answer is too long");
    return undefined;
  }
  const lines = bytes.subarray(0, found.index).toString("latin1").split(/\r?\n/);
  return { head: parseHead(lines), rest: bytes.subarray(found.index + found[0].length) };
}

function parseHead(lines: string[]): CgiHead {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of lines) {
    const [, name = "", value = ""] = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (!name) throw new Error(`not a CGI header: ${line.slice(0, 100)}`);
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers[name.toLowerCase()] = value;
  }
  return { status, headers };
}
