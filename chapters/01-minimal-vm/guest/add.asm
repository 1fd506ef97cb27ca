; Adds AL and BL, prints the sum as one digit, and halts.
; The monitor sets AL and BL before it starts the guest.
bits 16
org 0x1000

SERIAL equ 0x3f8

        mov  dx, SERIAL
        add  al, bl
        add  al, '0'
        out  dx, al             ; exit: IO
        mov  al, 10             ; a new line
        out  dx, al             ; exit: IO
        hlt                     ; exit: HLT
