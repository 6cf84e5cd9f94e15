/** Whether a part of an upload may be written where its headers say. */
import { type Fault, fault } from "./fault.ts";
import { heldRange, uploadRange } from "./range.ts";

export interface PartHeaders {
  "content-range"?: string | undefined;
  "content-length"?: string | undefined;
}

/** An upload: where it goes on, and how many bytes it holds. */
export interface Place {
  location: string;
  held: number;
}

/** Bytes that the part says it has; undefined when it does not say, as a streamed one. */
export function checkPart(headers: PartHeaders, place: Place): number | undefined | Fault {
  const header = headers["content-range"];
  const length = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  if (header === undefined) return length;
  const range = uploadRange(header);
  if (!range || range.first !== place.held) {
    const message = range
      ? `the upload goes on at byte ${place.held}, not ${range.first}`
      : "Content-Range is <first byte>-<last byte>";
    return misplaced(message, place);
  }
  const bytes = range.last - range.first + 1;
  if (length !== undefined && length !== bytes)
    return fault("SIZE_INVALID", `Content-Range names ${bytes} bytes, but ${length} are sent`);
  return bytes;
}

/** A part that does not go on where the upload stands; the answer says where that is. */
export function misplaced(message: string, { location, held }: Place): Fault {
  return fault("BLOB_UPLOAD_INVALID", message, { status: 416, headers: { location, range: heldRange(held) } });
}
