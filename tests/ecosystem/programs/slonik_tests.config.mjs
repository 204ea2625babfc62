/** For AVA: slonik's own tests, as slonik publishes them, in its package. @module */

export default {
  // The other files there repeat pg.test.js, or start servers in Docker.
  files: ["node_modules/slonik/dist/integration.test/{pg,stream}.test.js"],
  require: ["./programs/slonik_tests.setup.mjs"],
  workerThreads: false,
  serial: true, // as slonik runs them
  concurrency: 1, // the files make databases of the same names
  timeout: "60s",
  // They wait exactly as long as what they wait for takes: with node-postgres they fail now and then, too.
  match: ["minimum number", "failing auth"].map((part) => `!*${part}*`),
};
