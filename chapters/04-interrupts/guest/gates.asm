; Protected mode: a breakpoint through a trap gate, and two faults that their handlers repair.
%include "protected.inc"

main:   gate 0, divide_error, INTERRUPT_GATE
        gate 3, breakpoint, TRAP_GATE
        gate 11, not_present, INTERRUPT_GATE

        say  "INT3", 10
        int3

        say  "91 / 0", 10
        mov  eax, 91
        cdq
        mov  ebx, 0
        div  ebx                ; #DE: comes again with EBX repaired
        show "  the quotient is   ", eax

        say  "a segment that is not present", 10
        mov  eax, ABSENT
        mov  gs, ax             ; #NP: comes again with AX repaired
        mov  ecx, gs
        show "  GS is now         ", ecx
        hlt

; The frame of a trap or fault without an error code: EIP, CS, EFLAGS.
breakpoint:
        mov  ebp, esp
        show "  #BP, saved EIP    ", [ebp]
        show "       saved CS     ", [ebp + 4]
        show "       saved EFLAGS ", [ebp + 8]
        iretd

divide_error:
        mov  ebp, esp
        show "  #DE, saved EIP    ", [ebp]
        mov  ebx, 7
        iretd

; The frame of a fault with an error code: error code, EIP, CS, EFLAGS. IRET knows nothing of the first.
not_present:
        mov  ebp, esp
        show "  #NP, error code   ", [ebp]
        show "       saved EIP    ", [ebp + 4]
        mov  eax, DATA
        add  esp, 4
        iretd
