; Segment loads, far transfers, call gates, gates of the IDT, privilege, task switches, flags, ports.
%include "frame.inc"

main:
  CASE "an interrupt in ring 0"
  ENDCASE

  CASE "an interrupt from ring 3"
  RING 3
  ENDCASE

  CASE "an interrupt from ring 1"
  RING 1
  ENDCASE

; --- segment loads ---

  CASE "null into DS, then a read"
  xor ax, ax
  mov ds, ax
  mov eax, [0]
  ENDCASE

  CASE "null with RPL into GS keeps its value"
  mov ax, 3
  mov gs, ax
  ENDCASE

  CASE "null into SS"
  xor ax, ax
  mov ss, ax
  ENDCASE

  CASE "a selector beyond the table"
  mov ax, BEYOND
  mov es, ax
  ENDCASE

  CASE "a local selector without an LDT"
  mov ax, 0x0c
  mov es, ax
  ENDCASE

  CASE "a local selector"
  mov ax, LDT_A
  lldt ax
  mov ax, 0x0c | 3
  mov es, ax
  ENDCASE

  CASE "a local selector that is not present"
  mov ax, LDT_A
  lldt ax
  mov ax, 0x1c
  mov es, ax
  ENDCASE

  CASE "a segment that is not present into DS"
  mov ax, ABSENT
  mov ds, ax
  ENDCASE

  CASE "a segment that is not present into SS"
  mov ax, ABSENT
  mov ss, ax
  ENDCASE

  CASE "a system segment into ES"
  mov ax, TSS_A
  mov es, ax
  ENDCASE

  CASE "a gate into ES"
  mov ax, GATE32
  mov es, ax
  ENDCASE

  CASE "execute-only code into DS"
  mov ax, EXECUTEONLY
  mov ds, ax
  ENDCASE

  CASE "readable code into DS"
  mov ax, CODE0
  mov ds, ax
  mov eax, [gatetarget]
  ENDCASE

  CASE "a write through a code segment"
  mov ax, CODE0
  mov ds, ax
  mov [0x70000], eax
  ENDCASE

  CASE "a write through CS"
  mov [cs:0x70000], eax
  ENDCASE

  CASE "a write to a read-only segment"
  mov ax, READONLY
  mov fs, ax
  mov [fs:0x70000], eax
  ENDCASE

  CASE "a read-only segment into SS"
  mov ax, READONLY
  mov ss, ax
  ENDCASE

  CASE "data of ring 0 in ring 3"
  RING 3
  mov ax, DATA0
  mov es, ax
  ENDCASE

  CASE "data of ring 3 in ring 0"
  mov ax, DATA3
  mov es, ax
  ENDCASE

  CASE "RPL 3 on data of ring 0"
  mov ax, DATA0 | 3
  mov es, ax
  ENDCASE

  CASE "conforming code of ring 0 as data in ring 3"
  RING 3
  mov ax, CONFORMING0 | 3
  mov es, ax
  mov eax, [es:gatetarget]
  ENDCASE

  CASE "SS with another RPL"
  mov ax, DATA0 | 1
  mov ss, ax
  ENDCASE

  CASE "SS with another DPL"
  mov ax, DATA3
  mov ss, ax
  ENDCASE

  CASE "ring 0's SS in ring 3"
  RING 3
  mov ax, DATA0
  mov ss, ax
  ENDCASE

  CASE "POP ES of a bad selector leaves ESP"
  push dword BEYOND
  mov ebx, esp
  pop es
  ENDCASE

  CASE "LES"
  mov dword [scratch], 0x8765_4321
  mov word [scratch + 4], DATA3
  les edi, [scratch]
  ENDCASE

  CASE "LSS of a bad selector leaves ESP"
  mov dword [scratch], 0x8765_4321
  mov word [scratch + 4], READONLY
  lss esp, [scratch]
  ENDCASE

  CASE "the accessed bit"
  mov ax, CONFORMING0
  mov es, ax
  movzx eax, byte [gdt + CONFORMING0 + 5]
  ENDCASE

; --- far transfers ---

  CASE "JMP to code"
  jmp CODE0:.there
.there:
  ENDCASE

  CASE "JMP to data"
  jmp DATA0:0x1234
  ENDCASE

  CASE "JMP to null"
  jmp 3:0x1234
  ENDCASE

  CASE "JMP beyond the table"
  jmp BEYOND:0x1234
  ENDCASE

  CASE "JMP to code that is not present"
  jmp ABSENTCODE:0x1234
  ENDCASE

  CASE "JMP to code of ring 3"
  jmp CODE3:0x1234
  ENDCASE

  CASE "JMP with RPL 3 to code of ring 0"
  jmp CODE0 | 3:0x1234
  ENDCASE

  CASE "JMP to conforming code from ring 3"
  RING 3
  jmp CONFORMING0:.there
.there:
  ENDCASE

  CASE "JMP to code of ring 0 from ring 3"
  RING 3
  jmp CODE0:0x1234
  ENDCASE

  CASE "CALL to code"
  call CODE0:.there
.there:
  mov eax, [esp]
  mov edx, [esp + 4]
  ENDCASE

  CASE "CALL to 16-bit code, and back"
  push word CODE0
  call CODE16:.sixteen - KERNEL
  jmp .back
bits 16
.sixteen:
  mov ax, 0x1616
  o32 retf
bits 32
.back:
  ENDCASE

  CASE "RETF to data"
  push dword DATA0
  push dword 0x1234
  retf
  ENDCASE

  CASE "RETF to ring 3 drops data segments"
  mov ax, DATA3
  mov es, ax
  mov ax, CONFORMING0
  mov fs, ax
  push dword DATA3
  push dword STACK3
  push dword CODE3
  push dword .there
  retf
.there:
  ENDCASE

  CASE "RETF with parameters to ring 3"
  push dword DATA3
  push dword STACK3
  push dword 0x1111
  push dword 0x2222
  push dword CODE3
  push dword .there
  retf 8
.there:
  mov eax, esp
  ENDCASE

  CASE "RETF to an inner ring"
  RING 3
  push dword CODE0
  push dword 0x1234
  retf
  ENDCASE

  CASE "RETF to ring 3 with a stack of ring 0"
  push dword DATA0
  push dword STACK3
  push dword CODE3
  push dword .there
  retf
.there:
  ENDCASE

  CASE "RETF to ring 3 with a null stack"
  push dword 0
  push dword STACK3
  push dword CODE3
  push dword .there
  retf
.there:
  ENDCASE

  CASE "RETF to ring 3 with a 16-bit stack"
  push dword DATA16_3
  push dword 0x1234_8000
  push dword CODE3
  push dword .there
  retf
.there:
  mov eax, esp
  ENDCASE

; --- call gates ---

  CASE "a call gate from ring 3 with two parameters"
  RING 3
  push dword 0x1111_1111
  push dword 0x2222_2222
  call GATE32:0
  ENDCASE

  CASE "a 16-bit call gate from ring 3"
  RING 3
  push word 0x1111
  push word 0x2222
  call GATE16:0
  ENDCASE

  CASE "a call gate from ring 0"
  push dword 0x1111_1111
  call GATE32:0
  ENDCASE

  CASE "a call gate from ring 3 to ring 1"
  RING 3
  call GATE1:0
  ENDCASE

  CASE "JMP through a call gate in ring 0"
  jmp GATE32:0
  ENDCASE

  CASE "JMP through a call gate to an inner ring"
  RING 3
  jmp GATE32:0
  ENDCASE

  CASE "a call gate to conforming code"
  RING 3
  call GATECONF:0
  ENDCASE

  CASE "a call gate that is not present"
  RING 3
  call ABSENTGATE:0
  ENDCASE

  CASE "a call gate of DPL 0 from ring 3"
  RING 3
  call GATE_DPL0:0
  ENDCASE

  CASE "a call gate with too high an RPL"
  call GATE_DPL0 | 3:0
  ENDCASE

  CASE "a call gate to code that is not present"
  RING 3
  call GATEABSENT:0
  ENDCASE

  CASE "a call gate with a null stack in the TSS"
  mov dword [tss_a + 16], 0
  RING 3
  call GATE1:0
  ENDCASE

  CASE "a call gate with a bad stack in the TSS"
  mov dword [tss_a + 16], DATA0
  RING 3
  call GATE1:0
  ENDCASE

  CASE "a call gate with an absent stack in the TSS"
  mov dword [tss_a + 16], ABSENT | 1
  mov byte [gdt + ABSENT + 5], 0x32
  RING 3
  call GATE1:0
  ENDCASE

  CASE "a call gate and back by RETF"
  mov word [gdt + GATE32], .gate - kernel + (KERNEL & 0xffff)
  mov word [gdt + GATE32 + 6], KERNEL >> 16
  RING 3
  mov ax, DATA3
  mov ds, ax
  push dword 0x1111_1111
  push dword 0x2222_2222
  call GATE32:0
  mov eax, esp
  jmp .back
.gate:
  mov ax, DATA0
  mov fs, ax
  retf 8
.back:
  ENDCASE

; --- gates of the IDT ---

  CASE "INT n through a gate of DPL 0 from ring 3"
  RING 3
  int 0x20
  ENDCASE

  CASE "INT n beyond the table"
  int 0x80
  ENDCASE

  CASE "INT n through a gate that is not present"
  mov byte [idt + 0x42 * 8 + 5], 0x6e
  int 0x42
  ENDCASE

  CASE "INT n through something that is no gate"
  mov byte [idt + 0x42 * 8 + 5], 0xec
  int 0x42
  ENDCASE

  CASE "INT n to a null selector"
  mov word [idt + 0x42 * 8 + 2], 0
  int 0x42
  ENDCASE

  CASE "INT n to data"
  mov word [idt + 0x42 * 8 + 2], DATA0
  int 0x42
  ENDCASE

  CASE "INT n to an outer ring"
  mov word [idt + 0x42 * 8 + 2], CODE3
  int 0x42
  ENDCASE

  CASE "INT n to absent code"
  mov word [idt + 0x42 * 8 + 2], ABSENTCODE
  int 0x42
  ENDCASE

  CASE "a trap gate leaves IF"
  mov byte [idt + 0x42 * 8 + 5], 0xef
  mov word [idt + 0x42 * 8], .trap - kernel + (KERNEL & 0xffff)
  mov word [idt + 0x42 * 8 + 6], KERNEL >> 16
  push dword 0x202
  popfd
  int 0x42
.trap:
  pushfd
  pop eax
  cli
  ENDCASE

  CASE "an interrupt gate clears IF, NT and TF"
  mov word [idt + 0x42 * 8], .handler - kernel + (KERNEL & 0xffff)
  mov word [idt + 0x42 * 8 + 6], KERNEL >> 16
  push dword 0x4202
  popfd
  int 0x42
.handler:
  pushfd
  pop eax
  mov edx, [esp + 8]
  ENDCASE

  CASE "a 16-bit interrupt gate"
  mov byte [idt + 0x42 * 8 + 5], 0xe6
  mov word [idt + 0x42 * 8 + 2], CODE16
  mov word [idt + 0x42 * 8], .gate16 - kernel
  mov word [idt + 0x42 * 8 + 6], 0
  mov eax, esp
  int 0x42
bits 16
.gate16:
  mov ecx, esp
  sub eax, ecx
  movzx edx, word [esp]
  movzx ebx, word [esp + 2]
  movzx esi, word [esp + 4]
bits 32
  ENDCASE

  CASE "a fault in a fault: #NP of the gate of #GP is a double fault"
  mov byte [idt + 13 * 8 + 5], 0x0e
  mov ax, BEYOND
  mov es, ax
  ENDCASE

  CASE "a fault in #UD is delivered in its place"
  mov byte [idt + 6 * 8 + 5], 0x0e
  ud2
  ENDCASE

  CASE "an exception in ring 3 needs no DPL"
  RING 3
  ud2
  ENDCASE

  CASE "a divide error in ring 3"
  RING 3
  xor ecx, ecx
  div ecx
  ENDCASE

  CASE "INT3 in ring 3 needs the gate's DPL"
  RING 3
  int3
  ENDCASE

  CASE "INTO without and with overflow"
  into
  mov al, 0x7f
  inc al
  into
  ENDCASE

  CASE "a bad stack for an exception of ring 3"
  mov dword [tss_a + 8], BEYOND
  mov word [idt + 0x41 * 8 + 4], 0xee00
  mov byte [idt + 10 * 8 + 5], 0x85
  mov word [idt + 10 * 8 + 2], TSS_B
  RING 3
  ud2
  ENDCASE

; --- IRET ---

  CASE "IRET to data"
  pushfd
  push dword DATA0
  push dword 0x1234
  iretd
  ENDCASE

  CASE "IRET to null"
  pushfd
  push dword 0
  push dword 0x1234
  iretd
  ENDCASE

  CASE "IRET to absent code"
  pushfd
  push dword ABSENTCODE
  push dword 0x1234
  iretd
  ENDCASE

  CASE "IRET to an inner ring"
  RING 3
  pushfd
  push dword CODE0
  push dword 0x1234
  iretd
  ENDCASE

  CASE "IRET to ring 3 with ring 0's stack"
  push dword DATA0
  push dword STACK3
  pushfd
  push dword CODE3
  push dword .there
  iretd
.there:
  ENDCASE

  CASE "IRET to ring 3 sets IOPL and IF, and drops DS"
  push dword DATA3
  push dword STACK3
  push dword 0x3202
  push dword CODE3
  push dword .there
  iretd
.there:
  ENDCASE

  CASE "IRET in ring 3 keeps IOPL and IF"
  RING 3
  push dword 0x0020_3ed7
  push dword CODE3
  push dword .there
  iretd
.there:
  ENDCASE

  CASE "16-bit IRET"
  mov eax, 0x3ed7
  push ax
  push word CODE16
  push word .there - KERNEL
  o16 iret
bits 16
.there:
  o32 pushfd
  pop eax
  cli
bits 32
  ENDCASE

; --- flags ---

  CASE "POPF in ring 3 keeps IOPL and IF"
  RING 3
  push dword 0x0024_7ed7
  popfd
  ENDCASE

  CASE "POPF in ring 3 with IOPL 3 changes IF"
  push dword 0x3002
  popfd
  RING 3
  push dword 0x0000_0202
  popfd
  ENDCASE

  CASE "CLI in ring 3"
  RING 3
  cli
  ENDCASE

  CASE "STI in ring 3"
  RING 3
  sti
  ENDCASE

  CASE "HLT in ring 3"
  RING 3
  hlt
  ENDCASE

  CASE "CLTS in ring 3"
  RING 3
  clts
  ENDCASE

  CASE "MOV from CR0 in ring 3"
  RING 3
  mov eax, cr0
  ENDCASE

  CASE "MOV from DR7 in ring 3"
  RING 3
  mov eax, dr7
  ENDCASE

  CASE "LGDT in ring 3"
  RING 3
  lgdt [gdtr]
  ENDCASE

  CASE "LLDT in ring 3"
  RING 3
  lldt ax
  ENDCASE

  CASE "INVLPG in ring 3"
  RING 3
  invlpg [0]
  ENDCASE

  CASE "WRMSR in ring 3"
  RING 3
  wrmsr
  ENDCASE

; --- control registers ---

  CASE "NW without CD"
  mov eax, 0x2000_0011
  mov cr0, eax
  ENDCASE

  CASE "MOV to CR1"
  db 0x0f, 0x22, 0xc8
  ENDCASE

  CASE "LMSW cannot clear PE"
  mov ax, 0xe
  lmsw ax
  smsw eax
  ENDCASE

  CASE "CLTS"
  mov eax, 0x19
  mov cr0, eax
  clts
  ENDCASE

  CASE "MOV to DR4 is DR6"
  mov eax, 0xffff_0ff1
  mov dr4, eax
  ENDCASE

  CASE "MOV to DR4 with CR4.DE"
  mov eax, 8
  mov cr4, eax
  mov dr4, eax
  ENDCASE

  CASE "DR7.GD"
  mov eax, 0x2400
  mov dr7, eax
  mov eax, dr0
  ENDCASE

  CASE "reading an MSR that does not exist"
  mov ecx, 0x1234_5678
  rdmsr
  ENDCASE

; --- LDTR and TR ---

  CASE "LLDT of a code segment"
  mov ax, CODE0
  lldt ax
  ENDCASE

  CASE "LLDT of a local selector"
  mov ax, 4
  lldt ax
  ENDCASE

  CASE "LLDT of an absent one"
  mov byte [gdt + LDT_A + 5], 0x02
  mov ax, LDT_A
  lldt ax
  ENDCASE

  CASE "LTR of null"
  xor ax, ax
  ltr ax
  ENDCASE

  CASE "LTR of a busy TSS"
  mov ax, TSS_A
  ltr ax
  ENDCASE

  CASE "LTR of an absent TSS"
  mov byte [gdt + TSS_B + 5], 0x09
  mov ax, TSS_B
  ltr ax
  ENDCASE

  CASE "LTR of another TSS"
  mov ax, TSS_B
  ltr ax
  ENDCASE

; --- questions ---

%macro ASK 2                ; instruction, selector
  xor edx, edx
  mov dx, %2
  mov eax, 0x5555_5555
  %1 eax, edx
  setz bl
  SAYHEX8 " ", eax
  movzx eax, bl
  call hex2
%endmacro
%macro ASKALL 1
%assign selector 0
%rep 0x21
  ASK %1, selector
%assign selector selector + 8
%endrep
  SAY {10}
%endmacro
%macro VERIFY 2
  mov dx, %2
  %1 dx
  setz al
  movzx eax, al
  SAY " "
  call hex2
%endmacro
%macro VERIFYALL 1
%assign selector 0
%rep 0x21
  VERIFY %1, selector
%assign selector selector + 8
%endrep
  SAY {10}
%endmacro

  CASE "LAR in ring 0"
  ASKALL lar
  ENDCASE

  CASE "LSL in ring 0"
  ASKALL lsl
  ENDCASE

  CASE "VERR and VERW in ring 0"
  VERIFYALL verr
  VERIFYALL verw
  ENDCASE

  CASE "LAR and LSL in ring 3"
  RING 3
  mov ax, DATA3
  mov ds, ax
  mov dx, DATA0
  lar eax, edx
  setz cl
  mov dx, DATA3
  lar ebx, edx
  setz ch
  mov dx, CONFORMING0
  lsl ebp, edx
  mov dx, DATA3 & ~3
  lsl esi, edx
  ENDCASE

  CASE "VERR and VERW in ring 3"
  RING 3
  mov dx, DATA0
  verr dx
  setz al
  mov dx, DATA3
  verw dx
  setz ah
  mov dx, CONFORMING0
  verr dx
  setz cl
  mov dx, READONLY
  verw dx
  setz ch
  ENDCASE

  CASE "ARPL"
  mov ax, 0x1230
  mov bx, 0x0003
  arpl ax, bx
  setz cl
  arpl ax, bx
  setz ch
  ENDCASE

; --- ports ---

  CASE "a port that the map forbids"
  RING 3
  in al, 0x60
  ENDCASE

  CASE "a port that the map allows"
  RING 3
  mov al, '#'
  out 0xe9, al
  mov al, 10
  out 0xe9, al
  ENDCASE

  CASE "a word over the edge of what the map allows"
  RING 3
  out 0xe9, ax
  ENDCASE

  CASE "a port beyond the map"
  RING 3
  mov dx, 0x3f8
  in al, dx
  ENDCASE

  CASE "IOPL 3 allows every port"
  push dword 0x3002
  popfd
  RING 3
  mov al, '#'
  out 0xe9, al
  cli
  sti
  cli
  mov al, 10
  out 0xe9, al
  ENDCASE

; --- tasks ---

  CASE "JMP to a TSS"
  jmp TSS_B:0
  ENDCASE

  CASE "CALL to a TSS, and IRET back"
  mov dword [tss_b + 0x20], .taskb - kernel + KERNEL
  call TSS_B:0
  jmp .back
.taskb:
  mov eax, 0x9999
  iretd
.back:
  ENDCASE

  CASE "CALL to a TSS"
  call TSS_B:0
  ENDCASE

  CASE "a task gate by CALL from ring 3"
  RING 3
  call TASKGATE:0
  ENDCASE

  CASE "a task gate by INT"
  mov byte [idt + 0x42 * 8 + 5], 0xe5
  mov word [idt + 0x42 * 8 + 2], TSS_B
  int 0x42
  ENDCASE

  CASE "a task gate for an exception with an error code"
  mov byte [idt + 13 * 8 + 5], 0x85
  mov word [idt + 13 * 8 + 2], TSS_B
  mov dword [tss_b + 0x20], .popcode - kernel + KERNEL
  mov ax, BEYOND
  mov es, ax
.popcode:
  pop eax
  ENDCASE

  CASE "JMP to a busy TSS"
  jmp TSS_A:0
  ENDCASE

  CASE "JMP to an absent TSS"
  mov byte [gdt + TSS_B + 5], 0x09
  jmp TSS_B:0
  ENDCASE

  CASE "JMP to a TSS that is too short"
  mov word [gdt + TSS_B], 0x66
  jmp TSS_B:0
  ENDCASE

  CASE "a TSS of DPL 0 from ring 3"
  RING 3
  jmp TSS_B:0
  ENDCASE

  CASE "JMP to a 16-bit TSS"
  jmp TSS_C:0
  ENDCASE

  CASE "CALL to a 16-bit TSS, and IRET back"
  mov word [tss_c + 0x0e], .taskc - kernel
  call TSS_C:0
  jmp .back16
bits 16
.taskc:
  mov eax, 0x8888
  iret
bits 32
.back16:
  ENDCASE

  CASE "IRET with NT and a bad link"
  mov word [tss_a], TSS_B
  push dword 0x4002
  popfd
  iretd
  ENDCASE

  CASE "IRET with NT and a null link"
  push dword 0x4002
  popfd
  iretd
  ENDCASE

  CASE "a task with a bad LDT"
  mov dword [tss_b + 0x60], CODE0
  jmp TSS_B:0
  ENDCASE

  CASE "a task with a bad CS"
  mov dword [tss_b + 0x4c], DATA0
  jmp TSS_B:0
  ENDCASE

  CASE "a task with a bad SS"
  mov dword [tss_b + 0x50], DATA3
  jmp TSS_B:0
  ENDCASE

  CASE "a task with a bad DS"
  mov dword [tss_b + 0x54], BEYOND
  jmp TSS_B:0
  ENDCASE

  CASE "a task with an absent FS"
  mov dword [tss_b + 0x58], ABSENT
  jmp TSS_B:0
  ENDCASE

  CASE "a task in ring 3"
  mov dword [tss_b + 0x4c], CODE3
  mov dword [tss_b + 0x50], DATA3
  mov dword [tss_b + 0x24], 0x3202
  jmp TSS_B:0
  ENDCASE

  CASE "the T bit of a TSS"
  mov byte [tss_b + 0x64], 1
  jmp TSS_B:0
  ENDCASE

; --- SYSENTER ---

  CASE "SYSENTER without a selector"
  mov ecx, 0x174
  xor eax, eax
  xor edx, edx
  wrmsr
  RING 3
  sysenter
  ENDCASE

; QEMU lets this pass, and is lost: it stands last.
  CASE "PG without PE"
  mov eax, 0x8000_0010
  mov cr0, eax
  ENDCASE

  jmp finish

  times (SECTORS + 1) * 512 - ($ - boot) db 0
