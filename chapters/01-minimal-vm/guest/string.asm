; Prints a string with one instruction.
bits 16
org 0x1000

SERIAL equ 0x3f8

        mov  dx, SERIAL
        mov  si, text
        mov  cx, text.end - text
        cld
        rep  outsb              ; exit: IO, with up to CX items in it
        hlt

text:   db "Hello from real mode!", 10
.end:
