import type { IncomingMessage } from "node:http";
import { bytesOf } from "#kernel/request-bytes.ts";
import { type Fault, fault } from "../core/fault.ts";

/** The whole body, when it is no larger than the limit. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | Fault> {
  const tooLarge = fault("SIZE_INVALID", `the body is larger than the ${limit} bytes that are taken here`, {
    status: 413,
  });
  if (Number(request.headers["content-length"] ?? 0) > limit) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytesOf(request)) {
    size += chunk.length;
    if (size > limit) return tooLarge;
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
}
