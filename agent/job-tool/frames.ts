/** The frames between the tool in a job and the agent; `tool.c` describes them. What comes is job code's: nothing is believed. */

export interface ToolFrame {
  kind: "H" | "D" | "F";
  bytes: Buffer;
}

/** What a call begins with. */
export interface Hello {
  /** The name under which the tool was called, and its arguments. */
  args: string[];
  /** Working directory, as the job sees it. */
  folder: string;
  env: Record<string, string>;
}

/** Linux gives arguments and environment together 2 MiB where nobody raised it. */
export const longestHello = 8 * 1024 * 1024;
const longestPiece = 1024 * 1024;
const headBytes = 5;

export class FrameError extends Error {}

export interface FrameReader {
  /** The frames that are whole by now. Throws `FrameError`, after which nothing more is read. */
  push(bytes: Buffer): ToolFrame[];
}

export function createFrameReader(): FrameReader {
  const parts: Buffer[] = [];
  let held = 0;
  let wanted = headBytes;

  /** The bytes that are held, in one piece. */
  function gather(): Buffer {
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts.splice(0, parts.length, all);
    return all;
  }

  function takeFrame(): ToolFrame | undefined {
    if (held < wanted) return undefined;
    const all = gather();
    const { kind, length } = readHead(all);
    wanted = headBytes + length;
    if (held < wanted) return undefined;
    parts.splice(0, parts.length, all.subarray(wanted));
    held -= wanted;
    const bytes = all.subarray(headBytes, wanted);
    wanted = headBytes;
    return { kind, bytes };
  }

  return {
    push(bytes) {
      parts.push(bytes);
      held += bytes.length;
      const frames: ToolFrame[] = [];
      for (let frame = takeFrame(); frame; frame = takeFrame()) frames.push(frame);
      return frames;
    },
  };
}

function readHead(bytes: Buffer): { kind: ToolFrame["kind"]; length: number } {
  const kind = String.fromCharCode(bytes[0] ?? 0);
  const length = bytes.readUInt32BE(1);
  if (kind !== "H" && kind !== "D" && kind !== "F") throw new FrameError("there is no such frame");
  if (length > (kind === "H" ? longestHello : longestPiece)) throw new FrameError(`a frame of ${length} bytes`);
  return { kind, length };
}

export function writeFrame(kind: "O" | "E" | "I" | "X", bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.write(kind, 0, "latin1");
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Three lists: arguments, one folder, environment. Throws `FrameError` for anything else. */
export function readHello(bytes: Buffer): Hello {
  const texts = bytes.toString("utf8").split("\0");
  const end = texts.pop();
  let at = 0;
  function list(): string[] {
    const digits = texts[at++] ?? "";
    const count = /^\d{1,7}$/.test(digits) ? Number(digits) : texts.length + 1;
    if (at + count > texts.length) throw new FrameError("a list is cut off");
    return texts.slice(at, (at += count));
  }
  const [args, folders, env] = [list(), list(), list()];
  const folder = folders[0];
  if (end !== "" || at !== texts.length || args.length === 0 || folders.length !== 1 || !folder?.startsWith("/"))
    throw new FrameError("no greeting of the tool");
  return { args, folder, env: Object.fromEntries(env.map(splitVariable)) };
}

function splitVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
