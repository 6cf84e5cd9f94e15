/** Rings when a job may be leased. */
export const jobChannel = "towline_jobs";
