import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Fifo } from "../../src/session/fifo.ts";

test("any sequence of operations does what an array's would", () => {
  const operations = fc.array(fc.oneof(
    fc.record({ do: fc.constant("push"), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ do: fc.constant("shift"), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ do: fc.constant("remove"), count: fc.nat(5000) }),
    fc.record({ do: fc.constant("clear"), count: fc.constant(0) }),
  ));
  fc.assert(
    fc.property(operations, (steps) => {
      const fifo = new Fifo<{ n: number }>();
      let model: { n: number }[] = [];
      let next = 0;
      for (const step of steps) {
        if (step.do === "clear") {
          fifo.clear();
          model = [];
        } else if (step.do === "remove") {
          const item = model[step.count] ?? { n: -1 };
          assert.equal(fifo.remove(item), model.includes(item));
          model = model.filter((other) => other !== item);
        } else {
          for (let count = 0; count < step.count; count++) {
            if (step.do === "shift") assert.equal(fifo.shift(), model.shift());
            else {
              const item = { n: next++ };
              fifo.push(item);
              model.push(item);
            }
          }
        }
        assert.equal(fifo.length, model.length);
        assert.equal(fifo.peek(), model[0]);
        assert.deepEqual([...fifo], model);
      }
    }),
    { numRuns: 50 },
  );
});
