/** Cases of the guest images in which QEMU 7.2's TCG does not do what the manual says; Bochs and we do. */

const NO_LIMITS =
  "TCG checks neither limits nor types of segments on data accesses (SDM vol. 3A, 5.3 and 5.5)";
const RESERVED = "TCG's error code lacks P for a reserved bit in a present entry (SDM vol. 3A, 4.7)";
const INT1 = "TCG raises #UD for INT1 (F1)";
const TASKS =
  "TCG makes fewer checks of a new task, and reports others in its first instruction (SDM vol. 3A, 7.3)";
const LAR = "LAR: bits 16 to 19 are undefined; Intel's processors give the descriptor's (SDM vol. 2, LAR)";
const DEBUG =
  "TCG reports only some of the breakpoints and steps that come together, and none behind MOV SS (SDM vol. 3B, 17.2 and 17.3)";

export const KNOWN_QEMU: Readonly<Record<string, string>> = {
  // paging
  "PUSHAD into an absent page": "which of the eight accesses faults first is the model's own: CR2 differs",
  "a reserved bit in a 4 MiB page": RESERVED,
  "PAE: a reserved bit of the address": RESERVED,
  "PAE: bit 63 without NXE": RESERVED,
  "PAE: a reserved bit in a 2 MiB page": RESERVED,
  "PAE: a pointer with a reserved bit, on MOV to CR0":
    "TCG does not check the page-directory pointers on loading (SDM vol. 3A, 4.4.1)",
  "PAE: a pointer with a reserved bit, on MOV to CR3":
    "TCG does not check the page-directory pointers on loading (SDM vol. 3A, 4.4.1)",
  "an absent page is looked up anew each time":
    "the handler keeps the pushed flags in EBX, and TCG pushes no RF",
  // virtual-8086 mode
  INT1,
  "a word at the end of a segment": NO_LIMITS,
  "an offset above 64 KiB": NO_LIMITS,
  "a far jump past the limit": NO_LIMITS,
  "a gate to ring 1":
    "TCG lets an interrupt leave virtual-8086 mode for ring 1; it must be ring 0 (SDM vol. 2, INT n: #GP(selector))",
  "an IRET to virtual-8086 mode past 64 KiB":
    "TCG enters virtual-8086 mode first and faults there (SDM vol. 2, IRET)",
  "an IRET to virtual-8086 mode from ring 3 is none":
    "TCG takes VM from the stack in ring 3 too (SDM vol. 2, IRET: only CPL 0 changes VM)",
  "a word at the end of a segment in real mode": NO_LIMITS,
  // debug registers
  "a breakpoint after MOV SS": DEBUG,
  "a breakpoint of one byte, and one of two": DEBUG,
  "a breakpoint on data and single step at once": DEBUG,
  "DR6 and DR7 have fixed bits": "TCG lets reserved bits of DR6 and DR7 be written (SDM vol. 3B, 17.2)",
  "INT1 leaves DR6": INT1,
  // protection
  "null into DS, then a read": NO_LIMITS,
  "a write through a code segment": NO_LIMITS,
  "a write through CS": NO_LIMITS,
  "a write to a read-only segment": NO_LIMITS,
  "a call gate to conforming code":
    "TCG sets the RPL of CS to the DPL of a conforming segment, not to CPL (SDM vol. 2, CALL)",
  "a call gate with an absent stack in the TSS":
    "an absent stack segment of the TSS is #SS(selector) (SDM vol. 2, CALL); TCG raises #TS",
  "a fault in #UD is delivered in its place":
    "TCG leaves EXT clear in the error code of a fault during delivery (SDM vol. 3A, 6.13)",
  "NW without CD": "CR0.NW without CD is #GP (SDM vol. 3A, 2.5); TCG takes it",
  "DR7.GD": "TCG does not know DR7.GD (SDM vol. 3B, 17.2.4)",
  "reading an MSR that does not exist": "TCG reads 0 from an unknown MSR; it is #GP (SDM vol. 2, RDMSR)",
  "LTR of null": "LTR of a null selector is #GP(0) (SDM vol. 2, LTR); TCG takes it",
  "LAR in ring 0": LAR,
  "LAR and LSL in ring 3": LAR,
  "JMP to a 16-bit TSS":
    "the upper halves of registers after a 16-bit task switch are the model's own; ours are Bochs's",
  "a task with a bad LDT": TASKS,
  "a task with a bad CS": TASKS,
  "a task with a bad SS": TASKS,
  "a task with a bad DS": TASKS,
  "a task with an absent FS": TASKS,
  "a task in ring 3": TASKS,
  "the T bit of a TSS": "TCG does not know the T bit of a TSS (SDM vol. 3A, 7.2.1)",
  "PG without PE":
    "CR0.PG without PE is #GP (SDM vol. 3A, 2.5); TCG resets the machine, and the image ends here",
};
