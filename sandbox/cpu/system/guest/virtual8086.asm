; Virtual-8086 mode and real mode.
%include "frame.inc"

main:
  CASE "INT n with IOPL 3"
  V86 3
  int 0x41
bits 32
  ENDCASE

  CASE "INT n with IOPL 0"
  V86 0
  int 0x41
bits 32
  ENDCASE

  CASE "INT3 with IOPL 0, through a gate of DPL 0"
  V86 0
  int3
bits 32
  ENDCASE

  CASE "INT3 with IOPL 0, through a gate of DPL 3"
  mov byte [idt + 3 * 8 + 5], 0xee
  V86 0
  int3
bits 32
  ENDCASE

  CASE "INT1"
  V86 0
  db 0xf1
bits 32
  ENDCASE

  CASE "a divide error"
  V86 0
  xor cx, cx
  div cx
bits 32
  ENDCASE

%macro SENSITIVE 2+
  CASE %1
  V86 0
  %2
bits 32
  ENDCASE
%endmacro
  SENSITIVE "CLI", cli
  SENSITIVE "STI", sti
  SENSITIVE "PUSHF", pushf
  SENSITIVE "POPF", popf
  SENSITIVE "PUSHFD", pushfd
  SENSITIVE "IRET", iret
  SENSITIVE "HLT", hlt
  SENSITIVE "MOV from CR0", mov eax, cr0
  SENSITIVE "MOV to DR7", mov dr7, eax
  SENSITIVE "SMSW", smsw ax
  SENSITIVE "LMSW", lmsw ax
  SENSITIVE "SLDT", sldt ax
  SENSITIVE "LLDT", lldt ax
  SENSITIVE "VERR", verr ax
  SENSITIVE "ARPL", arpl ax, bx
  SENSITIVE "LAR", lar ax, bx
  SENSITIVE "CLTS", clts
  SENSITIVE "WRMSR", wrmsr
  SENSITIVE "INVLPG", invlpg [bx]
  SENSITIVE "a port that the map forbids", in al, 0x60

  CASE "a port that the map forbids, with IOPL 3"
  V86 3
  in al, 0x60
bits 32
  ENDCASE

  CASE "a port that the map allows"
  V86 0
  mov al, '#'
  out 0xe9, al
  mov al, 10
  out 0xe9, al
  int3
bits 32
  ENDCASE

  CASE "PUSHF, POPF, CLI and STI with IOPL 3"
  V86 3
  sti
  pushf
  pop ax
  cli
  pushfd
  pop ecx
  push dword 0x0027_7fd7
  popfd
  pushfd
  pop edx
  cli
  int 0x41
bits 32
  ENDCASE

  CASE "IRET with IOPL 3"
  V86 3
  push word 0x4002
  push word KERNEL >> 4
  push word .there - KERNEL
  iret
.there:
  int 0x41
bits 32
  ENDCASE

  CASE "segments are paragraphs"
  mov dword [0x7_0010], 0x1234_5678
  V86 3
  mov ax, 0x7000
  mov ds, ax
  mov eax, [0x10]
  mov ax, 0x7001
  mov es, ax
  mov ecx, [es:0]
  mov fs, ax
  int 0x41
bits 32
  ENDCASE

  CASE "a word at the end of a segment"
  V86 3
  mov ax, 0x7000
  mov ds, ax
  mov ax, [0xffff]
bits 32
  ENDCASE

  CASE "an offset above 64 KiB"
  V86 3
  mov ax, 0x7000
  mov ds, ax
  mov ebx, 0x1_0000
  mov al, [ebx]
bits 32
  ENDCASE

  CASE "a far call and return"
  V86 3
  call (KERNEL >> 4):.far - KERNEL
  int 0x41
.far:
  mov bp, sp
  mov eax, [bp]
  retf
bits 32
  ENDCASE

  CASE "a far jump past the limit"
  V86 3
  jmp dword (KERNEL >> 4):0x1_0000
bits 32
  ENDCASE

  CASE "LDS"
  mov dword [0x7_0010], 0x1234_5678
  V86 3
  mov ax, 0x7000
  mov ds, ax
  lds di, [0x10]
  int 0x41
bits 32
  ENDCASE

  CASE "a gate to ring 3"
  mov word [idt + 0x42 * 8 + 2], CODE3
  V86 3
  int 0x42
bits 32
  ENDCASE

  CASE "a gate to ring 1"
  mov word [idt + 0x42 * 8 + 2], CODE1
  V86 3
  int 0x42
bits 32
  ENDCASE

  CASE "a gate to conforming code"
  mov word [idt + 0x42 * 8 + 2], CONFORMING0
  V86 3
  int 0x42
bits 32
  ENDCASE

  CASE "a 16-bit gate"
  mov byte [idt + 0x42 * 8 + 5], 0xe6
  mov word [idt + 0x42 * 8 + 2], CODE16
  mov word [idt + 0x42 * 8], .gate16 - kernel
  mov word [idt + 0x42 * 8 + 6], 0
  V86 3
  int 0x42
.gate16:
  movzx eax, word [ss:esp]
  movzx ecx, word [ss:esp + 2]
  movzx edx, word [ss:esp + 4]
  movzx ebx, word [ss:esp + 6]
  movzx ebp, word [ss:esp + 8]
  movzx esi, word [ss:esp + 10]
  movzx edi, word [ss:esp + 16]
  int 0x41
bits 32
  ENDCASE

  CASE "a task gate"
  mov byte [idt + 0x42 * 8 + 5], 0xe5
  mov word [idt + 0x42 * 8 + 2], TSS_B
  V86 3
  int 0x42
bits 32
  ENDCASE

  CASE "a task in virtual-8086 mode"
  mov dword [tss_b + 0x20], .there - KERNEL
  mov dword [tss_b + 0x24], 0x2_3002
  mov dword [tss_b + 0x38], 0x4000
  mov dword [tss_b + 0x48], 0x1111
  mov dword [tss_b + 0x4c], KERNEL >> 4
  mov dword [tss_b + 0x50], 0x7000
  mov dword [tss_b + 0x54], 0x3333
  mov dword [tss_b + 0x58], 0x4444
  mov dword [tss_b + 0x5c], 0x5555
  jmp TSS_B:0
bits 16
.there:
  int 0x41
bits 32
  ENDCASE

  CASE "a task gate from virtual-8086 mode, and IRET back"
  mov byte [idt + 0x42 * 8 + 5], 0xe5
  mov word [idt + 0x42 * 8 + 2], TSS_B
  mov dword [tss_b + 0x20], .task - kernel + KERNEL
  V86 3
  int 0x42
  int 0x41
bits 32
.task:
  iretd
  ENDCASE

  CASE "an IRET to virtual-8086 mode past 64 KiB"
  push dword 0
  push dword 0
  push dword 0
  push dword 0
  push dword 0x7000
  push dword 0x4000
  push dword 0x2_0002
  push dword KERNEL >> 4
  push dword 0x1_0000
  iretd
  ENDCASE

  CASE "an IRET to virtual-8086 mode from ring 3 is none"
  RING 3
  push dword 0x2_0002
  push dword CODE3
  push dword .there
  iretd
.there:
  ENDCASE

  CASE "POPFD cannot set VM"
  push dword 0x2_0002
  popfd
  ENDCASE

; --- real mode ---

IVT equ 0x5000

; The next lines run in real mode, CS 0x1000, with DS = ES = SS = 0x7000 and an IVT of its own.
%macro REAL 0
  mov dword [IVT + 0x42 * 4], (KERNEL << 12) | (realhandler - kernel)
  mov dword [IVT + 0x06 * 4], (KERNEL << 12) | (realfault - kernel)
  mov dword [IVT + 0x00 * 4], (KERNEL << 12) | (realfault - kernel)
  mov dword [IVT + 0x0d * 4], (KERNEL << 12) | (realfault - kernel)
  lidt [realidtr]
  mov ax, DATA16
  mov ds, ax
  mov es, ax
  mov ss, ax
  jmp CODE16:%%sixteen - KERNEL
bits 16
%%sixteen:
  mov eax, 0x10
  mov cr0, eax
  jmp (KERNEL >> 4):%%real - KERNEL
%%real:
  mov ax, 0x7000
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x4000
%endmacro

; Back, and the registers printed.
%macro PROTECTED 0
  mov [ss:0x3000], eax
  mov eax, 0x11
  mov cr0, eax
  jmp dword CODE0:%%protected
bits 32
%%protected:
  mov ax, DATA0
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov ss, ax
  lidt [idtr]
  mov eax, [0x7_3000]
%endmacro

  CASE "an interrupt in real mode"
  REAL
  mov ax, 0x4002
  push ax
  popf
  sti
  int 0x42
  pushf
  pop bx
  cli
  cld
  PROTECTED
  ENDCASE

  CASE "#UD in real mode"
  REAL
  ud2
  PROTECTED
  ENDCASE

  CASE "a divide error in real mode"
  REAL
  xor cx, cx
  div cx
  PROTECTED
  ENDCASE

  CASE "SLDT in real mode"
  REAL
  sldt ax
  PROTECTED
  ENDCASE

  CASE "a word at the end of a segment in real mode"
  REAL
  mov ax, [0xffff]
  PROTECTED
  ENDCASE

  CASE "POPFD and PUSHFD in real mode"
  REAL
  push dword 0x003f_7fd7 & ~0x300
  popfd
  pushfd
  pop eax
  push dword 2
  popfd
  PROTECTED
  ENDCASE

  CASE "IRETD in real mode"
  REAL
  push dword 0x003f_7cd7
  push dword KERNEL >> 4
  push dword .there - KERNEL
  iretd
.there:
  pushfd
  pop eax
  push dword 2
  popfd
  PROTECTED
  ENDCASE

  CASE "far calls in real mode"
  REAL
  call (KERNEL >> 4):.one - KERNEL
  jmp .done
.one:
  mov bp, sp
  mov eax, [bp]
  call dword (KERNEL >> 4):.two - KERNEL
  retf
.two:
  mov bp, sp
  mov ecx, [bp]
  mov edx, [bp + 4]
  o32 retf
.done:
  mov ebx, esp
  PROTECTED
  ENDCASE

  CASE "a limit of protected mode stays in real mode"
  mov dword [0x9_0000], 0x5a5a_a5a5
  mov ax, DATA0
  mov fs, ax
  REAL
  xor ax, ax
  mov fs, ax
  mov ebx, 0x9_0000
  mov eax, [fs:ebx]
  PROTECTED
  ENDCASE

  CASE "SMSW and LMSW in real mode"
  REAL
  smsw eax
  mov ecx, eax
  mov ax, 0xe
  lmsw ax
  smsw eax
  PROTECTED
  ENDCASE

  jmp finish

realidtr:
  dw 0x3ff
  dd IVT

bits 16
realhandler:
  mov bp, sp
  mov eax, [bp]
  mov ecx, [bp + 4]
  pushf
  pop dx
  iret
; A fault: what is on the stack, then back to protected mode and to the end of the case.
realfault:
  mov bp, sp
  mov eax, [bp]
  mov ecx, [bp + 4]
  mov ebx, esp
  pushf
  pop dx
  PROTECTED
  int 0x41
  times (SECTORS + 1) * 512 - ($ - boot) db 0
