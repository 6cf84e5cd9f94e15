/** The tiny registry as a process, with an image of so many bytes; prints the image's name, and ends with its input. */
import { startTinyRegistry } from "./tiny-registry.ts";

const registry = await startTinyRegistry("0".repeat(Number(process.argv[2])));
process.stdout.write(`${registry.image}\n`);
process.stdin.resume().once("end", () => process.exit());
