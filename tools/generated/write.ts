/** `npm run generate`: writes the references and the golden schema. */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { references } from "./references.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
for (const [path, text] of Object.entries(references())) await writeFile(root + path, text);
