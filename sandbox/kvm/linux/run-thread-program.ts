/** What the thread of run-thread.ts does. */
import { parentPort, workerData } from "node:worker_threads";
import { acquireAlarm, releaseAlarm } from "./alarm.ts";
import { native } from "./ffi.ts";
import * as ioctl from "./ioctl.ts";
import { AT_HOME, AWAY, CLOSED, DESCRIPTOR, DONE, KICKED, RESULT, STATE, THREAD } from "./run-thread.ts";

// errno
const EINTR = 4;
const EAGAIN = 11;

/** Milliseconds after which the thread comes out of KVM_RUN for a moment: so that it can be ended. */
const A_LOOK = 500;

const words = workerData as Int32Array;
// Blocks the wake signal in this thread: outside of KVM_RUN it waits.
const alarm = acquireAlarm();
Atomics.store(words, THREAD, alarm.thread.thread);

for (let round = 1; ; ) {
  const state = Atomics.load(words, STATE);
  if (state === CLOSED) break;
  if (state !== AWAY) {
    Atomics.wait(words, STATE, state === DONE ? DONE : AT_HOME);
    continue;
  }
  Atomics.store(words, RESULT, runToExit(Atomics.load(words, DESCRIPTOR)));
  Atomics.store(words, STATE, DONE);
  Atomics.notify(words, STATE);
  parentPort?.postMessage(round++);
}
releaseAlarm();

/** Returns 0 at an exit, else errno; EINTR only if the owner has kicked. */
function runToExit(descriptor: number): number {
  for (;;) {
    alarm.arm(A_LOOK);
    const errno = ioctl.run(descriptor) === 0 ? 0 : native().errno();
    const wasKicked = Atomics.load(words, KICKED) !== 0;
    if (errno === EAGAIN && !wasKicked) continue;
    // The alarm, or a kick of an earlier round, is no reason to end this one.
    if (errno === EINTR) alarm.drain();
    if (errno !== EINTR || wasKicked) return errno;
  }
}
