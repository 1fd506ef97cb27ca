; Prints a line at 115,200 baud and one at 9,600, each character when the transmitter has room for it.
bits 16
org 0x1000

SERIAL      equ 0x3f8
LCR         equ SERIAL + 3
LSR         equ SERIAL + 5
DLAB        equ 0b1000_0000
EIGHT_BITS  equ 0b0000_0011
THRE        equ 0b0010_0000
TEMT        equ 0b0100_0000

        xor  ax, ax
        mov  ds, ax
        mov  ss, ax
        mov  sp, 0x1000
        cld

        mov  bx, 1              ; divisor: 115,200 / 1
        call speed
        mov  si, fast
        call print
        mov  bx, 12             ; 115,200 / 12
        call speed
        mov  si, slow
        call print
        call idle
        cli
        hlt

; Sets the divisor to BX, once the line is idle: a character on its way would be torn.
speed:  call idle
        mov  dx, LCR
        mov  al, DLAB | EIGHT_BITS
        out  dx, al
        mov  dx, SERIAL
        mov  al, bl
        out  dx, al
        inc  dx
        mov  al, bh
        out  dx, al
        mov  dx, LCR
        mov  al, EIGHT_BITS
        out  dx, al
        ret

; Waits until the last character has left the line.
idle:   mov  dx, LSR
.busy:  in   al, dx
        test al, TEMT
        jz   .busy
        ret

; Prints the text at SI up to its 0.
print:  lodsb
        test al, al
        jz   .done
        mov  ah, al
        mov  dx, LSR
.full:  in   al, dx
        test al, THRE
        jz   .full
        mov  al, ah
        mov  dx, SERIAL
        out  dx, al
        jmp  print
.done:  ret

fast:   db   "A character takes 87 microseconds.", 10, 0
slow:   db   "Now it takes a millisecond.", 10, 0
