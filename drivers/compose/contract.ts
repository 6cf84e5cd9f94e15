import type { Refusal } from "#api/errors.ts";

/**
 * The seam to Docker Compose: runs one service of a Compose file to its end, and leaves nothing behind.
 *
 * A Compose file can mount any folder of the host and start privileged containers, so whoever may push to a repository
 * acts as root on the agent's engine: give untrusted code an agent with an engine of its own.
 */
export interface Compose {
  /** What was found, for `doctor` and logs: `docker compose 2.26.1`. */
  readonly version: string;

  /**
   * Builds what the service and its dependencies need, starts the dependencies, waits for the conditions in `depends_on`,
   * and runs the service until it exits. Output comes as it is written, of the service and of the building and
   * starting; when the service fails, the last lines of each dependency follow.
   *
   * At its end, whatever the end is, all containers are killed at once (a grace period would only make a known result
   * wait) and removed with the project's networks, volumes and images. `cleaned: false` says that this failed: call
   * `cleanup` later.
   *
   * Refusals: `name.invalid` (project, service), `compose.invalid` (the file is missing, outside of the directory, has an
   * error, or no such service), `compose.not-started` (a build failed, or a dependency did not become healthy). Throws when
   * the engine does not answer; something may be left then, too.
   */
  run(request: ComposeRun): Promise<ComposeEnd | Refusal>;

  /**
   * Builds the images of services (none named: of all) and keeps their layers for later runs, as `run` does. Answers the
   * exit status of the build; nothing else of the project is left. Refusals: `name.invalid`, `compose.invalid`.
   */
  build(request: ComposeBuild): Promise<ComposeEnd | Refusal>;

  /**
   * Removes every container, network, volume and image of the project, found by label and name, so it needs no Compose
   * file and may be repeated. Throws when the engine does not answer or something cannot be removed within 30 s.
   */
  cleanup(project: string): Promise<void>;

  /**
   * Cleans up every project whose name begins with `prefix` (three characters or more), but those in `except`: what an
   * agent that was killed has left. Answers the names of the projects that had something to remove.
   */
  reap(prefix: string, except?: readonly string[]): Promise<string[]>;
}

export interface ComposeBuild extends Omit<ComposeRun, "service" | "labels" | "command" | "options" | "pull"> {
  services: readonly string[];
}

export interface ComposeRun {
  /** Unique to this run; lower-case letters, digits and dashes. All that the run makes carries it. */
  project: string;
  /** The checkout. */
  directory: string;
  /** The Compose file, relative to `directory`. */
  file: string;
  /** Further files, whose settings are laid over those of the first. */
  overrides?: readonly string[];
  service: string;
  /** In place of the service's own command. */
  command?: readonly string[];
  /** Further options of Compose's `run`, such as `--workdir` and its value. */
  options?: readonly string[];
  /** Services whose images are pulled first, also where there is one already. */
  pull?: readonly string[];
  /**
   * Variables for `${NAME}` in the file and for `environment: [NAME]`. Compose sees nothing else of this process's
   * environment but what it needs to reach the engine; names with `DOCKER_` and `COMPOSE_` are ignored.
   */
  env: Record<string, string>;
  /** Labels of the service's container. */
  labels: Record<string, string>;
  /**
   * A name for the images built here, usually the repository's. The newest image of each service is kept under it, so
   * that the next run finds its layers again; the one before is removed.
   */
  cache?: string;
  signal?: AbortSignal;
  /** Milliseconds from the call on until the run is ended as `timed-out`. */
  deadlineMs: number;
  /** Output as it comes; while the promise is pending, no more is read. */
  onOutput: (bytes: Buffer) => void | Promise<void>;
}

export type ComposeEnd =
  | { ended: "exited"; exitCode: number; outOfMemory: boolean; cleaned: boolean }
  | { ended: "cancelled" | "timed-out"; cleaned: boolean };
