import { programsIn, searchPath } from "#drivers/process/programs.ts";

/** Where programs for root stand on systems that keep these folders off the PATH of users. */
const further = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];

/** Full path of a program on PATH or in the usual folders beside it; undefined when it is nowhere. */
export async function findProgram(name: string): Promise<string | undefined> {
  return (await programsIn([...searchPath(), ...further], name))[0];
}
