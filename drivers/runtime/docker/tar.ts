/** A tar archive of a few files, as the engine takes files for a container. Pure. */
import { type FileToPlace, RuntimeError } from "../contract.ts";

const block = 512;

/** Whoever owns the files, by number. */
export type OwnedFile = FileToPlace & { uid?: number };

/** Paths inside the archive are relative to `/`. Throws for a path that is not absolute, plain and at most 99 bytes. */
export function tarOf(files: readonly OwnedFile[]): Buffer {
  const parts = files.flatMap((file) => {
    const content = Buffer.from(file.content);
    return [header(file, content.length), content, Buffer.alloc((block - (content.length % block)) % block)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header({ path, mode = 0o400, uid = 0 }: OwnedFile, size: number): Buffer {
  const name = path.slice(1);
  if (!/^(\/[^/\0]+)+$/.test(path) || path.split("/").includes("..") || Buffer.byteLength(name) > 99)
    throw new RuntimeError("engine", `not a path for a file in a container: ${JSON.stringify(path)}`);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    bytes.write(value.toString(8).padStart(length - 1, "0"), at, length - 1, "latin1");
  bytes.write(name, 0);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(uid, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  bytes.write(" ".repeat(8), 148, "latin1");
  bytes.write("0ustar\u000000", 156, "latin1");
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}
