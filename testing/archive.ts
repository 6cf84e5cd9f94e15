/** Layers of images, byte by byte, also such as no tool writes. */
import { Header } from "tar";

export interface ArchiveEntry {
  path: string;
  content?: string | Buffer;
  type?: "File" | "Directory" | "SymbolicLink" | "Link";
  linkpath?: string;
}

/** A tar of these entries, in their order. */
export function archive(entries: readonly ArchiveEntry[]): Buffer {
  return Buffer.concat([...entries.map(blocksOf), Buffer.alloc(1024)]);
}

function blocksOf({ path, content = "", type = "File", linkpath }: ArchiveEntry): Buffer {
  const bytes = Buffer.from(content);
  const header = new Header({ path, type, size: bytes.length, mode: 0o644, ...(linkpath ? { linkpath } : {}) });
  header.encode();
  const padded = Buffer.alloc(Math.ceil(bytes.length / 512) * 512);
  bytes.copy(padded);
  return Buffer.concat([header.block ?? Buffer.alloc(512), padded]);
}
