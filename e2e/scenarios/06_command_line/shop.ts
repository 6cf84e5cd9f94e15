/** The service that the command line is tried on. */
export const pipeline = `steps:
  - key: check
    label: "Syntax"
    command: perl -c server.pl && echo "key is $$SIGNING_KEY"
    image: towline/base-debian:stable
  - wait
  - publish: .
    if: build.branch == pipeline.default_branch
  - deploy: test
  - block: "Deploy to production"
    allowed_roles: [lead]
  - deploy: production
`;

export const manifest = `service: shop
owner: checkout
http: { port: 8080, health: /health }
secrets: [API_KEY]
run: { cpu: 0.5, memory: 128Mi }
release: { drain: 1s }
`;
