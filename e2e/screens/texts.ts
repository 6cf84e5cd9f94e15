/** What stands in the repositories of the pictures. */

export const prices = `// What a product costs, in cents.
const taxes = { food: 0.07, other: 0.19 };

function priceOf(product) {
  const tax = taxes[product.kind] ?? taxes.other;
  return Math.round(product.cents * (1 + tax));
}

module.exports = { priceOf };
`;

export const discounts = `// What a product costs, in cents.
const taxes = { food: 0.07, other: 0.19 };
const rate = Number(process.env.DISCOUNT ?? 0.1);

function priceOf(product, customer) {
  const tax = taxes[product.kind] ?? taxes.other;
  const full = Math.round(product.cents * (1 + tax));
  return Math.round(full * (1 - discountOf(customer)));
}

// Whoever has ordered three times is a regular customer.
const discountOf = (customer) => (customer && customer.orders >= 3 ? rate : 0);

module.exports = { priceOf, discountOf };
`;

const report = `<testsuite name="cart">${["adds a product", "counts what is in it", "keeps it over a day"]
  .map((name) => `<testcase name="${name}" time="0.02"/>`)
  .join(
    "",
  )}<testcase name="asks the bank" time="1.2"><flakyFailure message="no answer in 1 s"/></testcase></testsuite>`;
const failing = `<testsuite name="look"><testcase name="the first page on a phone" time="2.1"><failure message="the button is 3 px too low">expected 412 to be 409
    at page.test.js:31</failure></testcase><testcase name="the cart on a phone" time="1.4"/></testsuite>`;

const written = (text: string): string => `printf '%s' '${text.replaceAll("\n", "&#10;")}' > r.xml`;
const lint = [
  "echo '--- Dependencies'",
  'for n in 1 2 3 4 5 6; do echo "fetched package $$n of 6"; done',
  "echo '+++ Rules'",
  "printf '\\033[32m✓\\033[0m 214 files hold to the rules\\n\\033[33m!\\033[0m src/cart.js: 2 warnings\\n'",
].join("; ");

/** Steps that pass, one that fails softly, one for which there is no agent, a gate and what is behind it. */
export const shopSteps = [
  { key: "lint", label: ":broom: lint", command: lint },
  {
    ...{ key: "unit", label: ":test_tube: unit", plugins: [{ "junit#v1": { files: "r.xml" } }] },
    command: written(report),
    artifact_paths: "r.xml",
  },
  {
    ...{ key: "look", label: ":eyes: look", plugins: [{ "junit#v1": { files: "r.xml" } }], soft_fail: true },
    command: `${written(failing)}; exit 1`,
  },
  { key: "ios", label: ":iphone: iOS", command: "true", agents: { queue: "mac" }, soft_fail: true },
  { key: "image", label: ":package: image", publish: ".", depends_on: ["lint", "unit"] },
  { key: "to-test", label: "to test", deploy: "test", depends_on: ["image"] },
  {
    ...{ key: "go", block: "Deploy to production", depends_on: ["to-test", "look"] },
    fields: [
      { text: "What changes for customers", key: "note", required: false, default: "Search as you type" },
      {
        ...{ select: "Who was told", key: "told", default: "support" },
        options: [
          { label: "Support", value: "support" },
          { label: "Nobody", value: "nobody" },
        ],
      },
    ],
  },
  { key: "to-production", label: "to production", deploy: "production", depends_on: ["go"] },
];
