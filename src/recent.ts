/** Sets an entry of a small memory; where there are then more than `most`, the one that was set longest ago is forgotten. */
export function setRecent<Value>(memory: Map<string, Value>, name: string, value: Value, most: number): void {
  memory.delete(name);
  memory.set(name, value);
  const [oldest] = memory.keys();
  if (memory.size > most) memory.delete(oldest);
}
