; A fault whose handler is not there, a double fault, and with that handler gone too, a shutdown.
%include "protected.inc"

main:   gate 8, double_fault, INTERRUPT_GATE
        say  "division by zero, and no gate for it", 10
        xor  ebx, ebx
first:  div  ebx                ; #DE, then #NP for gate 0: together #DF

double_fault:
        mov  ebp, esp
        show "#DF, error code ", [ebp]
        show "     saved EIP  ", [ebp + 4]
        say  "once more, and no gate for the double fault either", 10
        mov  dword [IDT + 8 * 8 + 4], 0
        div  ebx                ; #DE, #NP, #DF, #NP: the processor gives up
        say  "this line is never reached", 10
        hlt
