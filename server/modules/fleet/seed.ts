/** What the fleet repository holds on the first start: two environments, in five lines each. */
const readme = `# The fleet

\`environments/*.yml\` are the environments. A commit to \`main\` here is the operation: there is no other way to change a rule.
`;

const test = `# Every release of a default branch goes here by itself; what its contracts say is told here, and asked for in production.
target: docker
watch: 3s
contracts: advisory
`;

const production = `# A release must have served in test first.
target: docker
after: test
watch: 30s
`;

export const seedFiles = {
  files: { "README.md": readme, "environments/test.yml": test, "environments/production.yml": production },
  message: "Two environments to begin with",
  author: { name: "Towline", email: "towline@localhost" },
};
