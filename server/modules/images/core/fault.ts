/**
 * Refusals in the registry's own language: the codes of the OCI distribution specification and the status each goes with.
 * Real clients read them, so they are kept apart from the platform's catalogue.
 */
export const faultStatus = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  UNKNOWN: 500,
} as const satisfies Record<string, number>;

export type FaultCode = keyof typeof faultStatus;

export interface Fault {
  fault: FaultCode;
  message: string;
  status: number;
  headers: Record<string, string>;
}

/** `more.status` where the code's own does not say enough, such as 416. */
export function fault(code: FaultCode, message: string, more: Partial<Pick<Fault, "status" | "headers">> = {}): Fault {
  return { fault: code, message, status: faultStatus[code], headers: {}, ...more };
}

export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && "fault" in value;
}

/** Carries a fault out of a transaction, which it must roll back. */
export class FaultError extends Error {
  readonly fault: Fault;
  constructor(carried: Fault) {
    super(carried.message);
    this.name = "FaultError";
    this.fault = carried;
  }
}
