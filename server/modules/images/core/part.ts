/** Whether a part of an upload may be written where its headers say. */
import { type Fault, fault } from "./fault.ts";
import { heldRange, uploadRange } from "./range.ts";

export interface PartHeaders {
  "content-range"?: string | undefined;
  "content-length"?: string | undefined;
}

/** Bytes that the part says it has; undefined when it does not say, as a streamed one. */
export function checkPart(headers: PartHeaders, held: number): number | undefined | Fault {
  const header = headers["content-range"];
  const length = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  if (header === undefined) return length;
  const range = uploadRange(header);
  if (!range || range.first !== held) {
    const message = range
      ? `the upload goes on at byte ${held}, not ${range.first}`
      : "Content-Range is <first byte>-<last byte>";
    return fault("BLOB_UPLOAD_INVALID", message, { status: 416, headers: { range: heldRange(held) } });
  }
  const bytes = range.last - range.first + 1;
  if (length !== undefined && length !== bytes)
    return fault("SIZE_INVALID", `Content-Range names ${bytes} bytes, but ${length} are sent`);
  return bytes;
}
