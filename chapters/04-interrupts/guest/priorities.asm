; Three devices ring while interrupts are off. The controllers decide who comes first; one of them is
; masked, and one that is more urgent interrupts a handler.
%include "real.inc"
%include "pic.inc"

BELL    equ 0x90                ; a write rings that IRQ, with bit 7 set it falls silent
SILENCE equ 0x80

main:   call program_pics
        vector VECTORS + 1, keyboard
        vector VECTORS + 3, serial
        vector VECTORS + 5, sound
        vector VECTORS + 10, network
        mov  al, ~(1 << 1 | 1 << 2 | 1 << 3) & 0xff ; IRQ 5 stays masked
        out  PIC + 1, al
        mov  al, ~(1 << 2) & 0xff ; IRQ 10
        out  SLAVE + 1, al

        say  "ringing 5, 3 and 10 with interrupts off", 10
        mov  al, 5
        out  BELL, al
        mov  al, 3
        out  BELL, al
        mov  al, 10
        out  BELL, al
        mov  al, READ_IRR
        out  PIC, al
        in   al, PIC
        mov  ah, 0
        say  "IRR of the master "
        call print_hex
        say  10

wait_for_three:
        cli                     ; no interrupt may come between this look and the HLT …
        cmp  byte [served], 3
        jae  three
        sti                     ; … and none does: STI holds them off for one more instruction
        hlt
        jmp  wait_for_three
three:

        say  "unmasking IRQ 5", 10
        in   al, PIC + 1
        and  al, ~(1 << 5) & 0xff
        out  PIC + 1, al
        sti
        hlt
        cli
        hlt                     ; interrupts are off: this ends it

; IRQ 10, at the slave: an end of interrupt to each of the two.
network:
        pusha
        say  "  IRQ 10 begins, ISR "
        call isr
        mov  al, 1
        out  BELL, al           ; IRQ 1 is more urgent than IR2, where the slave sits
        sti
        hlt                     ; until its handler was here
        cli
        mov  al, 10 | SILENCE
        out  BELL, al
        mov  al, EOI
        out  SLAVE, al
        say  "  IRQ 10 ends", 10
        jmp  done

keyboard:
        pusha
        say  "    IRQ 1 interrupts it, ISR "
        call isr
        mov  al, 1 | SILENCE
        out  BELL, al
        jmp  done

serial: pusha
        say  "  IRQ 3, ISR "
        call isr
        mov  al, 3 | SILENCE
        out  BELL, al
        jmp  done

sound:  pusha
        say  "  IRQ 5, ISR "
        call isr
        mov  al, 5 | SILENCE
        out  BELL, al
done:   mov  al, EOI
        out  PIC, al
        inc  byte [served]
        popa
        iret

; Prints the master's in-service register.
isr:    mov  al, READ_ISR
        out  PIC, al
        in   al, PIC
        mov  ah, 0
        call print_hex
        say  10
        ret

served: db   0
