import type { Bell } from "#kernel/database.ts";
import { changeOf } from "#kernel/event-feed.ts";

/** Rings when a job may be leased. */
export const jobChannel = "towline_jobs";

/** Tells people who look at the build that its steps moved, or that its jobs left something. */
export const changeOfBuild = (build: string): Bell => changeOf(`build:${build}`);
/** Tells people what else decides why steps wait: who holds the slots of groups, and which agents there are. */
export const changeOfSlots: Bell = changeOf("slots");
export const changeOfAgents: Bell = changeOf("agents");
