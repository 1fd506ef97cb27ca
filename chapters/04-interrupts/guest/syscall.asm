; A program in ring 3 asks a kernel in ring 0 to print for it: INT 0x80, a stack from the TSS, and IRET.
%include "protected.inc"

WRITE   equ 4                   ; the numbers of Linux on i386
EXIT    equ 1
USER_STACK equ 0x9000

main:   gate 0x80, system_call, INTERRUPT_GATE | DPL3
        gate 13, general_protection, INTERRUPT_GATE
        mov  ax, TASK
        ltr  ax                 ; the task register: where SS0 and ESP0 are

        say  "kernel: into ring 3", 10
        mov  ax, USER_DATA
        mov  ds, ax
        mov  es, ax
        push dword USER_DATA    ; the frame of an interrupt that never was
        push dword USER_STACK
        pushfd
        push dword USER_CODE
        push dword program
        iretd

program:
        mov  eax, WRITE
        mov  esi, hello
        int  0x80
        mov  ebx, eax           ; what the kernel answered
        mov  eax, WRITE
        mov  esi, again
        int  0x80
        mov  al, '!'
        mov  edx, SERIAL
forbidden:
        out  dx, al             ; #GP: ring 3 has no right to ports here
        mov  eax, EXIT
        int  0x80

hello:  db   "user: hello from ring 3", 10, 0
again:  db   "user: and back again", 10, 0

; On the kernel's stack: EIP, CS, EFLAGS, ESP and SS of the program.
system_call:
        cmp  eax, EXIT
        je   exit
        cmp  byte [calls], 0
        jne  .print
        inc  byte [calls]
        mov  ebp, esp
        show "kernel: saved EIP   ", [ebp]
        show "        saved CS    ", [ebp + 4]
        show "        saved ESP   ", [ebp + 12]
        show "        saved SS    ", [ebp + 16]
        show "        my ESP      ", ebp
.print: call print
        iretd

; Error code, then the same frame. The kernel steps over the instruction, one byte long.
general_protection:
        mov  ebp, esp
        show "kernel: #GP, error code ", [ebp]
        cmp  dword [esp + 4], forbidden
        jne  exit
        say  "        OUT in ring 3 is forbidden; going on behind it", 10
        inc  dword [esp + 4]
        add  esp, 4
        iretd

exit:   say  "kernel: the program has ended", 10
        hlt

calls:  db   0
