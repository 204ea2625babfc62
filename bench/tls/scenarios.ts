/**
 * What is measured of an implementation of TLS. Every round opens connections of its own, since a Worker's last no longer
 * than a request.
 *
 * @module
 */

import type { BenchConnection, Contender } from "./contenders.ts";
import type { Order, Round, Task, Usage } from "./orders.ts";

/** One thing to measure. */
export interface Scenario {
  readonly title: string;
  /** What one unit of work is. */
  readonly unit: "handshake" | "turn" | "MB" | "connection";
  /** Does one round. */
  round(contender: Contender, task: Task, usage: () => Promise<Usage>): Promise<Round>;
}

const MEGABYTE = 1e6;
const order = (text: Order) => new TextEncoder().encode(JSON.stringify(text));

const handshake: Scenario = {
  title: "handshake, and a byte there and back",
  unit: "handshake",
  async round(contender, task, usage) {
    const times = Math.ceil(40 * task.scale);
    return await timed(usage, times, async () => {
      for (let index = 0; index < times; index++) {
        const connection = await connect(contender, task, "echo");
        await connection.write(Uint8Array.of(1));
        await connection.receive(1);
        connection.close();
      }
    });
  },
};

const turns: Scenario = {
  title: "100 bytes there and back",
  unit: "turn",
  async round(contender, task, usage) {
    const times = Math.ceil(1000 * task.scale);
    const connection = await connect(contender, task, "echo");
    const bytes = new Uint8Array(100).fill(7);
    const turn = async () => {
      await connection.write(bytes);
      await connection.receive(bytes.length);
    };
    for (let index = 0; index < times / 4; index++) await turn();
    const round = await timed(usage, times, async () => {
      for (let index = 0; index < times; index++) await turn();
    });
    connection.close();
    return round;
  },
};

/** So many bytes for records of each size: about as long a time. */
const AMOUNTS = { 100: 2 * MEGABYTE, 1024: 12 * MEGABYTE, 16384: 64 * MEGABYTE } as const;
type RecordSize = keyof typeof AMOUNTS;

const receive = (record: RecordSize): Scenario => ({
  title: `receive, records of ${sizeName(record)}`,
  unit: "MB",
  async round(contender, task, usage) {
    const bytes = Math.ceil(AMOUNTS[record] * task.scale / record) * record;
    const connection = await connect(contender, task, "bulk");
    await connection.write(order({ do: "source", bytes, record }));
    await connection.receive(1);
    const round = await timed(usage, bytes / MEGABYTE, async () => {
      await connection.write(Uint8Array.of(1));
      await connection.receive(bytes);
    });
    connection.close();
    return round;
  },
});

const send = (record: RecordSize): Scenario => ({
  title: `send, writes of ${sizeName(record)}`,
  unit: "MB",
  async round(contender, task, usage) {
    const writes = Math.ceil(AMOUNTS[record] * task.scale / record / 2);
    const connection = await connect(contender, task, "bulk");
    await connection.write(order({ do: "sink", bytes: writes * record }));
    await connection.receive(1);
    const bytes = new Uint8Array(record).fill(7);
    const round = await timed(usage, writes * record / MEGABYTE, async () => {
      for (let index = 0; index < writes; index++) await connection.write(bytes);
      await connection.receive(1);
    });
    connection.close();
    return round;
  },
});

const idle: Scenario = {
  title: "an idle connection",
  unit: "connection",
  async round(contender, task, usage) {
    const times = Math.ceil(50 * task.scale);
    const connections: BenchConnection[] = [];
    const more = async () => {
      const connection = await connect(contender, task, "echo");
      connections.push(connection);
      await connection.write(Uint8Array.of(1));
      await connection.receive(1);
    };
    for (let index = 0; index < 10; index++) await more(); // what the first ones load stays
    const round = await timed(usage, times, async () => {
      for (let index = 0; index < times; index++) await more();
    });
    for (const connection of connections) connection.close();
    return round;
  },
};

/** All scenarios by their short names. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  handshake,
  "receive-100": receive(100),
  "receive-1k": receive(1024),
  "receive-16k": receive(16384),
  "send-100": send(100),
  "send-1k": send(1024),
  "send-16k": send(16384),
  turn: turns,
  idle,
};

function sizeName(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
}

function connect(contender: Contender, { farEnd, ca }: Task, server: "echo" | "bulk"): Promise<BenchConnection> {
  return contender.connect({ farEnd, ca, port: farEnd[server] });
}

async function timed(usage: () => Promise<Usage>, units: number, work: () => Promise<void>): Promise<Round> {
  const before = await usage();
  const startedAt = performance.now();
  await work();
  const wallMillis = performance.now() - startedAt;
  const after = await usage();
  return {
    units,
    wallMillis,
    cpuMillis: after.cpuMillis - before.cpuMillis,
    grownBytes: after.residentBytes - before.residentBytes,
  };
}
