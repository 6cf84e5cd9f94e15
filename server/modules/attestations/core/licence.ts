import { fixupSpdxId, isSupportedSpdxId } from "@cyclonedx/cyclonedx-library/SPDX";

/** As CycloneDX takes licences: by SPDX identifier, in words, or one expression alone. */
export type LicenceChoice = { license: { id: string } | { name: string } } | { expression: string };

export function licenceChoices(licences: readonly string[]): LicenceChoice[] {
  const [only] = licences;
  if (only !== undefined && licences.length === 1 && isExpression(only)) return [{ expression: only }];
  return licences.map((text) => {
    const id = fixupSpdxId(text);
    return { license: id === undefined ? { name: text } : { id } };
  });
}

/** What a document says, back in words. */
export function licenceText(choice: LicenceChoice): string {
  if ("expression" in choice) return choice.expression;
  return "id" in choice.license ? choice.license.id : choice.license.name;
}

/** Known identifiers, joined by AND, OR and WITH, with brackets in pairs. */
function isExpression(text: string): boolean {
  const words = text.replaceAll("(", " ( ").replaceAll(")", " ) ").trim().split(/\s+/);
  if (!words.some((word) => isOperator(word))) return false;
  let [depth, wantsOperand, exception] = [0, true, false];
  for (const word of words) {
    if (word === "(" || word === ")") {
      if ((word === "(") !== wantsOperand || exception) return false;
      depth += word === "(" ? 1 : -1;
      if (depth < 0) return false;
    } else if (isOperator(word)) {
      if (wantsOperand) return false;
      exception = word === "WITH";
      wantsOperand = true;
    } else {
      const known = exception ? /^[A-Za-z0-9.-]+$/.test(word) : isIdentifier(word);
      if (!wantsOperand || !known) return false;
      [wantsOperand, exception] = [false, false];
    }
  }
  return depth === 0 && !wantsOperand;
}

const isOperator = (word: string) => word === "AND" || word === "OR" || word === "WITH";
const isIdentifier = (word: string) => isSupportedSpdxId(word.replace(/\+$/, "")) || /^LicenseRef-[\w.-]+$/.test(word);
