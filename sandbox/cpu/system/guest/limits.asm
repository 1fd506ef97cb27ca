; Segment limits, stack limits, expand-down segments, SYSENTER.
%include "frame.inc"

; A code segment of 32 bits at KERNEL that ends with %1; its selector is ABSENTCODE's.
%macro SHORTCODE 1
  mov eax, %1
  mov [gdt + ABSENTCODE], ax
  mov dword [gdt + ABSENTCODE + 2], KERNEL | 0x9a00_0000
  mov word [gdt + ABSENTCODE + 6], 0x0040
  call clear
%endmacro

main:
%macro DATALIMIT 3+         ; name, selector, instruction
  CASE %1
  mov ax, %2
  mov fs, ax
  %3
  ENDCASE
%endmacro
  DATALIMIT "the last byte", SMALL, mov al, [fs:0xfff]
  DATALIMIT "the byte after it", SMALL, mov al, [fs:0x1000]
  DATALIMIT "a word over the end", SMALL, mov ax, [fs:0xfff]
  DATALIMIT "the last doubleword", SMALL, mov eax, [fs:0xffc]
  DATALIMIT "a doubleword over the end", SMALL, mov eax, [fs:0xffd]
  DATALIMIT "a write over the end", SMALL, mov [fs:0xffd], eax
  DATALIMIT "far beyond the end", SMALL, mov eax, [fs:0xffff_fffc]
  DATALIMIT "expand-down: at the limit", EXPANDDOWN, mov al, [fs:0xfff]
  DATALIMIT "expand-down: above the limit", EXPANDDOWN, mov al, [fs:0x1000]
  DATALIMIT "expand-down: over the limit from below", EXPANDDOWN, mov eax, [fs:0xffe]
  DATALIMIT "expand-down: near 4 GiB", EXPANDDOWN, mov [fs:0xffff_ffff], al
  DATALIMIT "expand-down: zero", EXPANDDOWN, mov [fs:0], al
  DATALIMIT "LES over the end", SMALL, les eax, [fs:0xffb]
  DATALIMIT "LES up to the end", SMALL, les eax, [fs:0xffa]
  DATALIMIT "BOUND over the end", SMALL, bound eax, [fs:0xffc]
  DATALIMIT "LGDT over the end", SMALL, lgdt [fs:0xffb]
  DATALIMIT "SGDT over the end", SMALL, sgdt [fs:0xffb]
  DATALIMIT "CMPXCHG8B over the end", SMALL, cmpxchg8b [fs:0xff9]

  CASE "expand-down of 16 bits ends at 64 KiB"
  mov byte [gdt + EXPANDDOWN + 6], 0
  mov ax, EXPANDDOWN
  mov fs, ax
  mov al, [fs:0xffff]
  mov eax, [fs:0xfffd]
  ENDCASE

  CASE "a page-granular limit"
  mov dword [gdt + SMALL], 0
  mov byte [gdt + SMALL + 6], 0xc0
  mov ax, SMALL
  mov fs, ax
  mov eax, [fs:0xffc]
  mov eax, [fs:0xffd]
  ENDCASE

  CASE "REP LODSB up to a limit"
  mov ax, SMALL
  mov ds, ax
  mov esi, 0xffd
  mov ecx, 10
  rep lodsb
  ENDCASE

  CASE "REP STOSD past a limit"
  mov ax, SMALL
  mov es, ax
  mov edi, 0xff6
  mov ecx, 10
  rep stosd
  ENDCASE

  CASE "the address size cuts, the segment's limit refuses"
  mov ax, SMALL
  mov ds, ax
  mov ebx, 0xffff
  a16 mov al, [bx]
  ENDCASE

; --- stacks ---

; In ring 3 on a stack of 4 KiB that SMALL is.
%macro SMALLSTACK 1         ; ESP
  push dword SMALL | 3
  push dword %1
  push dword 2
  push dword CODE3
  push dword %%there
  iretd
%%there:
%endmacro
  CASE "PUSH at the bottom of a stack"
  SMALLSTACK 2
  push eax
  ENDCASE

  CASE "PUSH from beyond a stack"
  SMALLSTACK 0x1004
  push eax
  ENDCASE

  CASE "PUSH from just beyond a stack"
  SMALLSTACK 0x1001
  push eax
  ENDCASE

  CASE "POP beyond a stack"
  SMALLSTACK 0xffe
  pop eax
  ENDCASE

  CASE "ENTER past the bottom"
  SMALLSTACK 0x10
  enter 0x100, 0
  ENDCASE

  CASE "CALL at the bottom of a stack"
  SMALLSTACK 2
  call clear
  ENDCASE

  CASE "a far CALL at the bottom of a stack"
  SMALLSTACK 4
  call CODE3:clear
  ENDCASE

  CASE "RET beyond a stack"
  SMALLSTACK 0xffd
  ret
  ENDCASE

  CASE "a far RET beyond a stack"
  SMALLSTACK 0xff9
  retf
  ENDCASE

  CASE "IRET beyond a stack"
  SMALLSTACK 0xff5
  iretd
  ENDCASE

  CASE "PUSHAD at the bottom of a stack"
  SMALLSTACK 0x10
  pushad
  ENDCASE

  CASE "POPAD beyond a stack"
  SMALLSTACK 0xff0
  popad
  ENDCASE

  CASE "LEAVE to beyond a stack"
  SMALLSTACK 0x100
  mov ebp, 0xffe
  leave
  ENDCASE

  CASE "an access by EBP is the stack's"
  SMALLSTACK 0x100
  mov ebp, 0x1000
  mov eax, [ebp]
  ENDCASE

  CASE "a 16-bit stack wraps"
  push dword DATA16_3
  push dword 0xabcd_0002
  push dword 2
  push dword CODE3
  push dword .there
  iretd
.there:
  push word 0x1234
  push word 0x5678
  mov eax, esp
  ENDCASE

  CASE "a 16-bit stack does not wrap inside a doubleword"
  push dword DATA16_3
  push dword 0xabcd_0002
  push dword 2
  push dword CODE3
  push dword .there
  iretd
.there:
  push eax
  ENDCASE

  CASE "an inner stack that is too small for an interrupt"
  mov dword [tss_a + 8], SMALL
  mov byte [gdt + SMALL + 5], 0x92
  mov dword [tss_a + 4], 8
  mov byte [idt + 12 * 8 + 5], 0x85
  mov word [idt + 12 * 8 + 2], TSS_B
  RING 3
  int 0x41
  ENDCASE

  CASE "an inner stack that is too small for a call gate"
  mov dword [tss_a + 16], SMALL | 1
  mov dword [tss_a + 12], 8
  mov byte [gdt + SMALL + 5], 0xb2
  RING 3
  call GATE1:0
  ENDCASE

  CASE "a TSS that ends before the stack of a call gate"
  mov word [gdt + TSS_A], 0x0d
  mov byte [gdt + TSS_A + 5], 0x89
  mov ax, TSS_A
  ltr ax
  RING 3
  call GATE1:0
  ENDCASE

  CASE "a TSS that ends with the stack of a call gate"
  mov word [gdt + TSS_A], 0x11
  mov byte [gdt + TSS_A + 5], 0x89
  mov ax, TSS_A
  ltr ax
  RING 3
  call GATE1:0
  ENDCASE

  CASE "a TSS without an I/O map"
  mov word [gdt + TSS_A], 0x65
  mov byte [gdt + TSS_A + 5], 0x89
  mov ax, TSS_A
  ltr ax
  RING 3
  out 0xe9, al
  ENDCASE

  CASE "a JMP from a TSS that just holds what is saved"
  mov word [gdt + TSS_A], 0x5f
  mov byte [gdt + TSS_A + 5], 0x89
  mov ax, TSS_A
  ltr ax
  jmp TSS_B:0
  ENDCASE

  CASE "a JMP from a TSS that is too short to save in"
  mov word [gdt + TSS_A], 0x5e
  mov byte [gdt + TSS_A + 5], 0x89
  mov ax, TSS_A
  ltr ax
  jmp TSS_B:0
  ENDCASE

; --- code ---

  CASE "a far JMP past the limit"
  SHORTCODE 0x2000
  jmp ABSENTCODE:0x2001
  ENDCASE

  CASE "a far CALL past the limit"
  SHORTCODE 0x2000
  call ABSENTCODE:0x2001
  ENDCASE

  CASE "a call gate past the limit"
  SHORTCODE 0x2000
  jmp GATEABSENT:0
  ENDCASE

  CASE "an interrupt past the limit"
  SHORTCODE 0x2000
  mov word [idt + 0x42 * 8 + 2], ABSENTCODE
  int 0x42
  ENDCASE

  CASE "a far RET past the limit"
  SHORTCODE 0x2000
  push dword ABSENTCODE
  push dword 0x2001
  retf
  ENDCASE

  CASE "IRET past the limit"
  SHORTCODE 0x2000
  pushfd
  push dword ABSENTCODE
  push dword 0x2001
  iretd
  ENDCASE

  CASE "a near JMP past the limit"
  SHORTCODE .after - kernel
  jmp ABSENTCODE:.there - kernel
.there:
  jmp .after + 1
.after:
  ENDCASE

  CASE "a near CALL past the limit"
  SHORTCODE .after - kernel
  jmp ABSENTCODE:.there - kernel
.there:
  call .after + 1
.after:
  ENDCASE

  CASE "running past the limit"
  SHORTCODE .after - kernel - 1
  jmp ABSENTCODE:.there - kernel
.there:
  inc eax
.after:
  inc eax
  ENDCASE

  CASE "an instruction over the limit"
  SHORTCODE .after - kernel + 1
  jmp ABSENTCODE:.there - kernel
.there:
  inc eax
.after:
  mov ebx, 0x1234_5678
  ENDCASE

  CASE "an instruction of 15 bytes, and one of 16"
  times 13 db 0x3e
  mov eax, ebx
  times 14 db 0x3e
  mov ecx, ebx
  ENDCASE

; --- fast system calls ---

%macro FAST 0
  mov ecx, 0x174
  mov eax, %%code
  mov eax, CODE0
  xor edx, edx
  wrmsr
  mov ecx, 0x175
  mov eax, EXCEPTION0
  wrmsr
  mov ecx, 0x176
  mov eax, fastentry
  wrmsr
%%code:
%endmacro

  CASE "SYSENTER from ring 3"
  FAST
  RING 3
  sysenter
  ENDCASE

  CASE "SYSENTER from virtual-8086 mode"
  FAST
  V86 0
  sysenter
bits 32
  ENDCASE

  CASE "SYSEXIT"
  FAST
  mov ecx, STACK3
  mov edx, .there
  sysexit
.there:
  mov ax, cs
  movzx eax, ax
  mov bx, ss
  movzx ebx, bx
  mov ecx, esp
  ENDCASE

  CASE "SYSEXIT in ring 3"
  FAST
  RING 3
  sysexit
  ENDCASE

  CASE "an MSR of SYSENTER"
  mov ecx, 0x176
  mov eax, 0x1234_5678
  xor edx, edx
  wrmsr
  xor eax, eax
  rdmsr
  ENDCASE

; --- LOCK, and opcodes that are none ---

  CASE "LOCK on a load"
  db 0xf0
  mov eax, [scratch]
  ENDCASE

  CASE "LOCK on a register"
  db 0xf0, 0x01, 0xc0
  ENDCASE

  CASE "MOV to CS"
  db 0x8e, 0xc8
  ENDCASE

  CASE "MOV to segment register 6"
  db 0x8e, 0xf0
  ENDCASE

  CASE "LES from a register"
  db 0xc4, 0xc0
  ENDCASE

  CASE "SGDT to a register"
  db 0x0f, 0x01, 0xc0
  ENDCASE

  CASE "UD2"
  ud2
  ENDCASE

  CASE "MOV to CR4 with a reserved bit"
  mov eax, 0x8000_0000
  mov cr4, eax
  ENDCASE

  CASE "MOV with CR ignores mod"
  db 0x0f, 0x20, 0x03       ; MOV EBX, CR0
  ENDCASE

  CASE "the x87 with TS"
  mov eax, 0x19
  mov cr0, eax
  fninit
  ENDCASE

  CASE "WAIT with MP and TS"
  mov eax, 0x1b
  mov cr0, eax
  fwait
  ENDCASE

  jmp finish

fastentry:
  mov ax, cs
  movzx eax, ax
  mov bx, ss
  movzx ebx, bx
  int 0x41
  times (SECTORS + 1) * 512 - ($ - boot) db 0
