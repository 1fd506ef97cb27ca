; Real mode: takes a breakpoint and goes on, repairs a division by zero, and calls a service by INT.
%include "real.inc"

SERVICE equ 0x60

main:   vector 0, divide_error
        vector 3, breakpoint
        vector SERVICE, service

        say  "before the breakpoint", 10
        int3
after:  say  "after the breakpoint", 10

        mov  ax, 91
        mov  bl, 0
divide: div  bl                 ; #DE: comes again with BL repaired
        mov  ah, 0
        say  "91 / 7 = "
        call print_hex
        say  10

        mov  ax, 0x4100
        int  SERVICE
        say  "the service returned "
        call print_hex
        say  10
        hlt

; A trap: the processor has saved the address of the instruction behind INT3.
breakpoint:
        push bp
        mov  bp, sp
        push ax
        say  "  #BP, will go on at "
        mov  ax, [bp + 2]
        call print_hex
        cmp  ax, after
        jne  .done
        say  ", the instruction behind INT3"
.done:  say  10
        pop  ax
        pop  bp
        iret

; A fault: the saved address is that of the DIV itself.
divide_error:
        push bp
        mov  bp, sp
        push ax
        say  "  #DE, will go on at "
        mov  ax, [bp + 2]
        call print_hex
        cmp  ax, divide
        jne  .done
        say  ", the DIV itself"
.done:  say  10
        mov  bl, 7
        pop  ax
        pop  bp
        iret

service:
        inc  ax
        iret
