/** Why a step does not run, as values; words are made last. */
export type WaitReason =
  | { kind: "dependency"; on: string[] }
  /** A block step that waits for a person, itself or before this one. */
  | { kind: "gate"; step: string; label: string; roles: string[] }
  /** Ready for an agent. The server refines it to `no-agent`. */
  | { kind: "agent" }
  | { kind: "no-agent"; tags: Record<string, string> }
  /** A deploy step that is ready and about to be asked for. */
  | { kind: "request"; environment: string }
  | { kind: "deployment"; environment: string; request: string }
  | { kind: "stopping"; agent?: string };
