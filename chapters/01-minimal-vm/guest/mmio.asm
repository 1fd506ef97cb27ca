; Talks to a device that is mapped into memory: an adder at guest-physical 0x000d_0000.
; Two numbers are written to offset 0, their sum is read from offset 4 and printed.
bits 16
org 0x1000

SERIAL  equ 0x3f8
ADDER   equ 0xd000              ; real-mode segment of 0x000d_0000
OPERAND equ 0
SUM     equ 4

        mov  ax, ADDER
        mov  ds, ax
        mov  word [OPERAND], 20 ; exit: MMIO write
        mov  word [OPERAND], 22 ; exit: MMIO write
        mov  ax, [SUM]          ; exit: MMIO read

        aam                     ; AH = AX / 10, AL = AX % 10
        add  ax, '00'
        mov  dx, SERIAL
        xchg al, ah
        out  dx, al
        xchg al, ah
        out  dx, al
        mov  al, 10
        out  dx, al
        hlt
