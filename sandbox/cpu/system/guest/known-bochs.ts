/**
 * Where the soft engine does not do what Bochs 2.7 does, with the reason. Everything else in the images
 * must agree to the last bit.
 */
export const KNOWN_BOCHS: Readonly<Record<string, string>> = {
  "a fault in a fault: #NP of the gate of #GP is a double fault":
    "#DF is an abort: RF in its EFLAGS image is what it was (SDM vol. 3B, 17.3.1.1); Bochs has set it for the first fault",
  "a double fault by a task gate": "the same in the EFLAGS that the task switch saves",
  "an IRET to virtual-8086 mode past 64 KiB":
    "#GP(0) in ring 0 (SDM vol. 2A, IRET, RETURN-TO-VIRTUAL-8086-MODE); Bochs cuts EIP to 16 bits",
  "a TSS that ends with the stack of a call gate":
    "SS:ESP for ring 1 takes 6 bytes (SDM vol. 2A, CALL: TSSstackAddress + 5); Bochs wants 8",
  "BOUND over the end":
    "silicon compares with the lower bound before it reads the upper one, and raises #BR where that is beyond the limit; Bochs reads both first",
  "single step through a jump, a call and a REP":
    "a trap between iterations of a string instruction has RF set (SDM vol. 3B, 17.3.1.1); Bochs leaves it clear",
};
