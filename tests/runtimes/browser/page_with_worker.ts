/**
 * A page that leaves the program to a web worker.
 *
 * @module
 */

const worker = new Worker("/page.mjs", { type: "module" });
worker.onerror = ({ message }) => void fetch("/failure", { method: "POST", body: `the worker failed: ${message}` });
