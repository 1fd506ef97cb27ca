/*
 * Runs single instructions (or short programs) on the processor under us, in 32-bit and 16-bit user mode,
 * and tells what they did. Reads cases from stdin and writes outcomes to stdout; silicon.ts speaks to it.
 *
 * A case runs in compatibility mode (SDM vol. 3A, 4.1.2 "IA-32e mode, compatibility submode"), which executes
 * 16- and 32-bit code as protected mode does. The harness itself is a 64-bit program, for two reasons: its own
 * registers R8 to R15 and its stack lie where no case can reach, and a 64-bit signal frame holds the FXSAVE
 * image as the processor wrote it, where a 32-bit frame goes through the kernel's conversion to FSAVE.
 *
 * There is one signal a case and nothing else: the code page is filled with INT3, so a case ends in #BP or in a
 * fault of its own; the handler takes the outcome out of the signal frame, puts the next case into it and
 * returns. After the last case it puts back the frame that it came with first.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* The memory map of a case; world.ts has the same numbers. */
#define CODE 0x20000u
#define CODE_SIZE 0x10000u
#define DATA 0x30000u
#define STACK 0x32000u
#define END 0x33000u
#define DATA_WINDOW 0x30800u
#define STACK_WINDOW 0x32800u

#define MAX_CODE 0x8000
#define MAX_CHANGES 1024
#define TIMED_OUT 0xfe

struct __attribute__((packed)) input {
  uint8_t world, wants_fpu;
  uint16_t code_length;
  uint32_t gpr[8]; /* EAX ECX EDX EBX ESP EBP ESI EDI, the order of their numbers */
  uint32_t eflags, eip;
  uint16_t segment[6]; /* ES CS SS DS FS GS */
  uint8_t data[128], stack[64];
  uint8_t fx[512];
}; /* followed by the code */

struct __attribute__((packed)) outcome {
  uint8_t vector, untold; /* untold: it changed more memory than the list below can say */
  uint16_t changes;
  uint32_t error, address;
  uint32_t gpr[8];
  uint32_t eflags, eip;
  uint16_t segment[6];
  uint8_t fx[512];
}; /* followed by the changed bytes of memory */

struct change {
  uint16_t offset; /* from DATA */
  uint8_t value, zero;
};

static uint8_t *background; /* what DATA and STACK hold where no window lies */
static uint8_t expected[END - DATA];
static uint8_t *in, *in_end, *out_buffer, *out;
static struct input *current;
static int running;
static ucontext_t home;
static uint8_t home_fx[512];
static uint64_t home_fs;
static volatile uint32_t finished;
static uint32_t finished_at_tick;

static void die(const char *what) {
  fprintf(stderr, "silicon: %s\n", what);
  exit(2);
}

static void read_all(void *to, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t got = read(0, (char *)to + done, length - done);
    if (got <= 0) {
      if (got == 0 && done == 0) exit(0);
      die("the input ends inside a batch");
    }
    done += (size_t)got;
  }
}

static void write_all(const void *from, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t put = write(1, (const char *)from + done, length - done);
    if (put <= 0) exit(0);
    done += (size_t)put;
  }
}

static void load_selectors(uint16_t es, uint16_t ds, uint16_t fs, uint16_t gs) {
  __asm__ volatile("movw %0, %%es\n movw %1, %%ds\n movw %2, %%fs\n movw %3, %%gs"
                   :
                   : "r"(es), "r"(ds), "r"(fs), "r"(gs));
}

static void store_selectors(uint16_t *segment) {
  __asm__ volatile("movw %%es, %0\n movw %%ds, %1\n movw %%fs, %2\n movw %%gs, %3"
                   : "=m"(segment[0]), "=m"(segment[3]), "=m"(segment[4]), "=m"(segment[5]));
}

static const int gpr_slot[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI};

/* Takes the case's code away again. Whether it wrote to the code segment elsewhere: such a case is of no use. */
static int code_changed(void) {
  uint32_t linear = current->world == 0 ? current->eip : CODE + (current->eip & 0xffff);
  memset((void *)(uintptr_t)linear, 0xcc, current->code_length);
  const uint64_t *words = (const uint64_t *)(uintptr_t)CODE;
  uint64_t differ = 0;
  for (uint32_t at = 0; at < CODE_SIZE / 8; at++) differ |= words[at] ^ 0xccccccccccccccccull;
  if (!differ) return 0;
  memset((void *)(uintptr_t)CODE, 0xcc, CODE_SIZE);
  return 1;
}

static void record(ucontext_t *uc, int timed_out) {
  greg_t *g = uc->uc_mcontext.gregs;
  struct outcome *o = (struct outcome *)out;
  o->vector = timed_out ? TIMED_OUT : (uint8_t)g[REG_TRAPNO];
  o->error = (uint32_t)g[REG_ERR];
  o->address = (uint32_t)g[REG_CR2];
  for (int i = 0; i < 8; i++) o->gpr[i] = (uint32_t)g[gpr_slot[i]];
  o->eflags = (uint32_t)g[REG_EFL];
  o->eip = (uint32_t)g[REG_RIP];
  uint64_t packed = (uint64_t)g[REG_CSGSFS];
  o->segment[1] = (uint16_t)packed;
  o->segment[2] = (uint16_t)(packed >> 48);
  uint16_t selectors[6];
  store_selectors(selectors);
  for (int i = 0; i < 6; i++) if (i != 1 && i != 2) o->segment[i] = selectors[i];
  if (current->wants_fpu) memcpy(o->fx, uc->uc_mcontext.fpregs, 512);
  else memset(o->fx, 0, 512);

  uint32_t changes = 0;
  struct change *list = (struct change *)(o + 1);
  const uint64_t *now = (const uint64_t *)(uintptr_t)DATA, *then = (const uint64_t *)expected;
  for (uint32_t word = 0; word < (END - DATA) / 8; word++) {
    if (now[word] == then[word]) continue;
    for (uint32_t at = word * 8; at < word * 8 + 8; at++) {
      uint8_t value = ((const uint8_t *)now)[at];
      if (value == expected[at]) continue;
      if (changes < MAX_CHANGES) list[changes] = (struct change){(uint16_t)at, value, 0};
      changes++;
    }
    ((uint64_t *)now)[word] = ((const uint64_t *)background)[word];
  }
  o->changes = (uint16_t)(changes > MAX_CHANGES ? MAX_CHANGES : changes);
  o->untold = code_changed() || changes > MAX_CHANGES;
  out = (uint8_t *)(list + o->changes);
}

static void forget(void) {
  memcpy((void *)(uintptr_t)DATA_WINDOW, background + (DATA_WINDOW - DATA), 128);
  memcpy((void *)(uintptr_t)STACK_WINDOW, background + (STACK_WINDOW - DATA), 64);
  memcpy(expected + (DATA_WINDOW - DATA), background + (DATA_WINDOW - DATA), 128);
  memcpy(expected + (STACK_WINDOW - DATA), background + (STACK_WINDOW - DATA), 64);
}

static void load(ucontext_t *uc) {
  struct input *i = (struct input *)in;
  uint8_t *code = (uint8_t *)(i + 1);
  in = code + i->code_length;
  current = i;
  uint32_t linear = i->world == 0 ? i->eip : CODE + (i->eip & 0xffff);
  memcpy((void *)(uintptr_t)linear, code, i->code_length);
  memcpy((void *)(uintptr_t)DATA_WINDOW, i->data, 128);
  memcpy((void *)(uintptr_t)STACK_WINDOW, i->stack, 64);
  memcpy(expected + (DATA_WINDOW - DATA), i->data, 128);
  memcpy(expected + (STACK_WINDOW - DATA), i->stack, 64);

  greg_t *g = uc->uc_mcontext.gregs;
  for (int r = 0; r < 8; r++) g[gpr_slot[r]] = i->gpr[r];
  g[REG_EFL] = i->eflags;
  g[REG_RIP] = i->eip;
  g[REG_CSGSFS] = (greg_t)((uint64_t)i->segment[1] | (uint64_t)i->segment[2] << 48);
  uint8_t *fx = (uint8_t *)uc->uc_mcontext.fpregs;
  memcpy(fx, i->fx, 416);          /* the rest is the kernel's note about the XSAVE area */
  *(uint64_t *)(fx + 512) |= 3;    /* XSTATE_BV: x87 and SSE are not in their initial state */
  load_selectors(i->segment[0], i->segment[3], i->segment[4], i->segment[5]);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)info;
  __asm__ volatile("pushfq\n andl $~0x244400, (%%rsp)\n popfq" ::: "memory", "cc"); /* ID AC NT DF off */
  ucontext_t *uc = context;
  if (number == SIGALRM && (!running || finished != finished_at_tick)) {
    finished_at_tick = finished; /* the case at work now has until the next tick */
    return;
  }
  if (!running) {
    home = *uc;
    memcpy(home_fx, uc->uc_mcontext.fpregs, 512);
    running = 1;
    finished++;
  } else {
    record(uc, number == SIGALRM);
    forget();
    finished++;
  }
  if (in < in_end) {
    load(uc);
    return;
  }
  running = 0;
  memcpy(uc->uc_mcontext.gregs, home.uc_mcontext.gregs, sizeof home.uc_mcontext.gregs);
  memcpy(uc->uc_mcontext.fpregs, home_fx, 416);
  *(uint64_t *)((uint8_t *)uc->uc_mcontext.fpregs + 512) |= 3;
  load_selectors(0, 0, 0, 0);
}

static void describe(unsigned entry, unsigned base, unsigned limit, unsigned big, unsigned contents) {
  struct user_desc d = {0};
  d.entry_number = entry;
  d.base_addr = base;
  d.limit = limit;
  d.seg_32bit = big;
  d.contents = contents; /* 0 data, 1 expand-down data, 2 code */
  d.useable = 1;
  if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d) != 0) die("modify_ldt refuses a descriptor: no LDT worlds here");
}

/* The same generator as random.ts: xorshift32. */
static void fill_background(void) {
  uint32_t x = 0x9e3779b9u;
  for (uint32_t at = 0; at < END - DATA; at += 4) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    memcpy(background + at, &x, 4);
  }
}

int main(void) {
  void *low = mmap((void *)(uintptr_t)CODE, END - CODE, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (low != (void *)(uintptr_t)CODE) die("cannot map the memory of the cases at 0x20000");
  memset(low, 0xcc, CODE_SIZE);
  background = malloc(END - DATA);
  fill_background();
  memcpy((void *)(uintptr_t)DATA, background, END - DATA);
  memcpy(expected, background, END - DATA);

  /* The LDT of worlds 1 (based, 32-bit) and 2 (16-bit); world.ts has the same table. */
  describe(0, CODE, 0xffff, 1, 2);
  describe(1, DATA, 0x1fff, 1, 0);
  describe(2, STACK, 0x0fff, 1, 0);
  describe(3, DATA, 0x07ff, 1, 1);
  describe(4, CODE, 0xffff, 0, 2);
  describe(5, DATA, 0xffff, 0, 0);
  describe(6, STACK, 0xffff, 0, 0);

  /* Above 4 GiB, where no ESP points: the kernel takes a stack pointer inside it for a signal in a signal. */
  stack_t alternate = {.ss_size = 1 << 18};
  alternate.ss_sp = mmap(NULL, alternate.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  static const int caught[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
  for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, NULL);
  syscall(SYS_arch_prctl, ARCH_GET_FS, &home_fs);
  struct itimerval tick = {{0, 300000}, {0, 300000}};
  setitimer(ITIMER_REAL, &tick, NULL);

  for (;;) {
    uint32_t header[2]; /* bytes of input, number of cases */
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    read_all(header, sizeof header);
    in = malloc(header[0] + 1);
    read_all(in, header[0]);
    uint8_t *in_start = in;
    in_end = in + header[0];
    out_buffer = malloc((size_t)header[1] * (sizeof(struct outcome) + MAX_CHANGES * sizeof(struct change)) + 8);
    out = out_buffer;
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    if (header[1]) {
      __asm__ volatile("int3" ::: "memory");
      /* FS was loaded with a selector, so its base, the thread's own storage, is gone. */
      long result, call = SYS_arch_prctl;
      __asm__ volatile("syscall" : "=a"(result) : "a"(call), "D"(ARCH_SET_FS), "S"(home_fs) : "rcx", "r11", "memory");
    }
    sigprocmask(SIG_BLOCK, &alarm, NULL);
    uint32_t length = (uint32_t)(out - out_buffer);
    write_all(&length, 4);
    write_all(out_buffer, length);
    free(in_start);
    free(out_buffer);
  }
}
