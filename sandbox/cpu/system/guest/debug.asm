; Debug registers, single step, the resume flag. The handler of #DB keeps a list of what it saw:
; EIP, DR6 and EFLAGS of each trap; it ends the case after 8 of them.
%include "frame.inc"

SEEN equ 0x7_1000

%macro TRACE 0
  mov dword [SEEN], 0
  mov word [idt + 1 * 8], trace - kernel + (KERNEL & 0xffff)
  mov word [idt + 1 * 8 + 6], KERNEL >> 16
%endmacro

; Prints the list, relative to the case's label `.from`.
%macro TRACED 0
  push dword 2
  popfd
  mov ax, DATA0
  mov ds, ax
  xor eax, eax
  mov dr7, eax
  mov ebx, SEEN + 4
  mov ecx, [SEEN]
  test ecx, ecx
  jz near %%none
%%next:
  mov edx, [ebx]
  sub edx, .from
  SAYHEX8 "  at ", edx
  SAYHEX8 " dr6 ", [ebx + 4]
  SAYHEX8 " flags ", [ebx + 8]
  SAYHEX8 " top ", [ebx + 12]
  SAY {10}
  add ebx, 16
  dec ecx
  jnz %%next
%%none:
  call clear
%endmacro

%macro STEP 0
  push dword 0x102
  popfd
%endmacro

%macro BREAK 3              ; number, address, kind and length (as in DR7, low bits)
  mov eax, %2
  mov dr%1, eax
  mov eax, dr7
  or eax, ((%3) << (16 + 4 * %1)) | (2 << (2 * %1))
  mov dr7, eax
%endmacro
EXECUTE equ 0
WRITES1 equ 1
WRITES2 equ 5
WRITES4 equ 13
PORTS1  equ 2
ACCESS4 equ 15

main:
  CASE "single step"
  TRACE
.from:
  STEP
  nop
  inc eax
  mov ebx, eax
  push dword 2
  popfd
  nop
  TRACED
  ENDCASE

  CASE "single step through a jump, a call and a REP"
  TRACE
  mov esi, 0x7_2000
  mov edi, 0x7_2100
  mov ecx, 2
.from:
  STEP
  jmp short .there
  nop
.there:
  rep movsb
  push dword 2
  popfd
  TRACED
  ENDCASE

  CASE "single step over MOV SS"
  TRACE
  mov bx, ss
.from:
  STEP
  mov ss, bx
  nop
  push dword 2
  popfd
  TRACED
  ENDCASE

  CASE "single step over POP SS"
  TRACE
.from:
  push ss
  STEP
  pop ss
  nop
  push dword 2
  popfd
  TRACED
  ENDCASE

  CASE "single step over PUSHF"
  TRACE
.from:
  STEP
  pushfd
  pop ebx
  push dword 2
  popfd
  mov [0x7_2000], ebx
  TRACED
  mov ebx, [0x7_2000]
  ENDCASE

  CASE "single step into an interrupt"
  TRACE
  mov word [idt + 0x42 * 8], .handler - kernel + (KERNEL & 0xffff)
  mov word [idt + 0x42 * 8 + 6], KERNEL >> 16
.from:
  STEP
  int 0x42
  nop
  push dword 2
  popfd
  jmp .done
.handler:
  nop
  nop
  iretd
.done:
  TRACED
  ENDCASE

  CASE "single step onto a fault"
  TRACE
  mov word [idt + 6 * 8], .handler - kernel + (KERNEL & 0xffff)
  mov word [idt + 6 * 8 + 6], KERNEL >> 16
.from:
  STEP
  ud2
  nop
  push dword 2
  popfd
  jmp .done
.handler:
  add dword [esp], 2
  iretd
.done:
  TRACED
  ENDCASE

  CASE "IRET sets TF"
  TRACE
.from:
  push dword 0x102
  push dword CODE0
  push dword .there
  iretd
.there:
  nop
  push dword 2
  popfd
  TRACED
  ENDCASE

  CASE "single step in ring 3"
  TRACE
.from:
  push dword DATA3
  push dword STACK3
  push dword 0x102
  push dword CODE3
  push dword .there
  iretd
.there:
  nop
  inc eax
  int 0x41
  ENDCASE

  CASE "a breakpoint on an instruction"
  TRACE
  BREAK 0, .there, EXECUTE
.from:
  nop
.there:
  inc eax
  nop
  TRACED
  ENDCASE

  CASE "a breakpoint on an instruction, disabled"
  TRACE
  mov eax, .there
  mov dr0, eax
.from:
  nop
.there:
  nop
  TRACED
  ENDCASE

  CASE "RF goes over a breakpoint once"
  TRACE
  BREAK 1, .there, EXECUTE
.from:
  push dword 0x1_0002
  push dword CODE0
  push dword .there
  iretd
.there:
  inc eax
  nop
  TRACED
  ENDCASE

  CASE "POPF cannot set RF"
  TRACE
  BREAK 1, .there, EXECUTE
.from:
  push dword 0x1_0002
  popfd
.there:
  inc eax
  TRACED
  ENDCASE

  CASE "a breakpoint after MOV SS"
  TRACE
  mov bx, ss
  BREAK 0, .there, EXECUTE
.from:
  mov ss, bx
.there:
  nop
  nop
  TRACED
  ENDCASE

  CASE "a breakpoint on a write"
  TRACE
  BREAK 2, 0x7_2000, WRITES4
.from:
  mov ebx, [0x7_2000]
  mov [0x7_2000], eax
  mov byte [0x7_2003], 1
  mov byte [0x7_2004], 1
  mov dword [0x7_1ffd], 1
  mov dword [0x7_1ffc], 1
  TRACED
  ENDCASE

  CASE "a breakpoint on any access"
  TRACE
  BREAK 3, 0x7_2000, ACCESS4
.from:
  mov ebx, [0x7_2000]
  mov [0x7_2000], eax
  add dword [0x7_2000], 1
  push dword [0x7_2002]
  pop ebx
  TRACED
  ENDCASE

  CASE "a breakpoint of one byte, and one of two"
  TRACE
  BREAK 0, 0x7_2001, WRITES1
  BREAK 1, 0x7_2002, WRITES2
.from:
  mov byte [0x7_2000], 1
  mov byte [0x7_2001], 1
  mov word [0x7_2001], 1
  mov word [0x7_2003], 1
  TRACED
  ENDCASE

  CASE "a breakpoint on REP STOS"
  TRACE
  BREAK 0, 0x7_2002, WRITES1
  mov edi, 0x7_2000
  mov ecx, 6
.from:
  rep stosb
  nop
  TRACED
  ENDCASE

  CASE "a breakpoint on a stack write"
  TRACE
  lea ebx, [esp - 4]
  BREAK 0, ebx, WRITES4
.from:
  push eax
  pop ebx
  TRACED
  ENDCASE

  CASE "a breakpoint on data and single step at once"
  TRACE
  BREAK 0, 0x7_2000, WRITES4
.from:
  STEP
  mov [0x7_2000], ebx
  push dword 2
  popfd
  TRACED
  ENDCASE

  CASE "a breakpoint on a port"
  TRACE
  mov eax, 8
  mov cr4, eax
  BREAK 0, 0xed, PORTS1
.from:
  out 0xec, al
  out 0xed, al
  in al, 0xed
  TRACED
  ENDCASE

  CASE "DR6 and DR7 have fixed bits"
  xor eax, eax
  mov dr6, eax
  mov ecx, dr6
  dec eax
  mov dr6, eax
  mov edx, dr6
  mov eax, 0xffff_d3ff & ~0x2000
  mov dr7, eax
  mov ebx, dr7
  xor eax, eax
  mov dr7, eax
  ENDCASE

  CASE "INT1 leaves DR6"
  db 0xf1
  ENDCASE

  jmp finish

; Notes EIP, DR6, EFLAGS and ESP, clears DR6, and returns; sets RF so that a breakpoint does not come again.
trace:
  push eax
  push ebx
  mov ebx, [ss:SEEN]
  cmp ebx, 8
  jae .enough
  inc dword [ss:SEEN]
  shl ebx, 4
  add ebx, SEEN + 4
  mov eax, [esp + 8]
  mov [ss:ebx], eax
  mov eax, dr6
  mov [ss:ebx + 4], eax
  mov eax, [esp + 16]
  mov [ss:ebx + 8], eax
  mov [ss:ebx + 12], esp
  mov eax, 0xffff_0ff0
  mov dr6, eax
  or dword [esp + 16], 0x1_0000
.enough:
  pop ebx
  pop eax
  iretd
  times (SECTORS + 1) * 512 - ($ - boot) db 0
