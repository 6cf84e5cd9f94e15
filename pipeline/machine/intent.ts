/** What has to be done outside. Derived from the state again and again, so every one must be safe to repeat. */
export type Intent =
  /** The job may be leased. */
  | { type: "offer"; id: string; step: string; agents: Record<string, string> }
  /** The agent that holds this token has to stop the job and say `finish`. */
  | { type: "stop"; id: string; step: string; token: string; agent: string }
  /** Ask for a deployment and answer with the command `request-deploy`. `actor` pressed the last gate before it. */
  | { type: "request-deploy"; id: string; step: string; environment: string; actor?: string }
  | { type: "cancel-deploy"; id: string; step: string; request: string }
  /** Start the build that the trigger step describes, and answer with `request-build` or `build-refused`. */
  | { type: "request-build"; id: string; step: string }
  | { type: "cancel-build"; id: string; step: string; request: string };
