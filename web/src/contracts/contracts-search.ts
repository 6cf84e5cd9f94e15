/** What the address of the contracts carries, read with care: anybody may write one. */
export interface ContractsSearch {
  /** The consumer or provider of which alone they are shown; absent: all. */
  of?: string;
}

export function contractsSearch({ of }: Record<string, unknown>): ContractsSearch {
  return typeof of === "string" && of !== "" ? { of } : {};
}
