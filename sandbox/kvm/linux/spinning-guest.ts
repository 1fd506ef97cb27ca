/** A process of its own for signals.test.ts: a guest that spins, run without a bound or in a worker. */
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { realModeGuest } from "./guest-fixture.ts";

const SPIN = [0xeb, 0xfe];
const mode = process.argv[2] ?? "";

/** Tells the parent process, past all buffers: this thread is about to block. */
const say = (line: string) => process.stdout.write(`${line}\n`);

if (!isMainThread) {
  const { vcpu } = realModeGuest(SPIN);
  parentPort?.postMessage(vcpu.thread);
  const exit = vcpu.run();
  parentPort?.postMessage({ ...exit });
} else if (mode === "worker") {
  const { kickThread } = await import("./alarm.ts");
  const program = JSON.stringify(import.meta.url);
  // On Node 20 a worker does not take over the TypeScript loader of its parent.
  const start = `import("tsx/esm/api").then(({ tsImport }) => tsImport(${program}, ${program}))`;
  const worker = new Worker(start, { eval: true });
  worker.once("message", handle => {
    worker.once("message", exit => {
      say(JSON.stringify(exit));
      void worker.terminate();
    });
    // The worker is in KVM_RUN by now or soon; either way the kick reaches it.
    setTimeout(() => kickThread(handle), 200);
  });
} else {
  const { hypervisor, vcpu } = realModeGuest(SPIN);
  if (mode === "handler") {
    process.on("SIGINT", () => {
      say("handler");
      hypervisor.close();
      process.exit(7);
    });
  }
  say("running");
  // Let the line and the handler reach the system before this thread blocks.
  setTimeout(() => {
    const exit = vcpu.run();
    say(JSON.stringify(exit));
    // A VMM that goes on would have more to do; the handler runs when the event loop comes round.
    setTimeout(() => say("no handler ran"), 5000);
  }, 50);
}
